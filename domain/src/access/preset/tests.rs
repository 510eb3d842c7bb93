use super::*;
use crate::access::{Catalogue, Permission, ReachSet, Rights};

fn catalogue(preset: Preset) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (entry, title) in preset.catalogue() {
        catalogue.put(entry, title);
    }
    catalogue
}

#[test]
fn a_preset_speaks_only_of_what_it_adds_or_is_built_in() {
    for preset in Preset::ALL {
        let (roles, catalogue) = (preset.roles(), catalogue(preset));
        for role in &roles {
            assert_eq!(catalogue.unknown("permissions", &role.permissions), [], "{} {}", preset.name(), role.name);
            for managed in Vec::<String>::from(role.may_manage.clone()) {
                let known = managed == "*" || roles.iter().any(|other| other.name.as_str() == managed);
                assert!(known, "{} {} manages {managed}, which is no role", preset.name(), role.name);
            }
        }
        for (entry, _) in preset.catalogue() {
            if let CatalogueEntry::Permission(service, action) = &entry {
                let (service, action) = (service.clone(), action.clone());
                assert!(catalogue.knows(&CatalogueEntry::Service(service)), "{entry}");
                assert!(catalogue.knows(&CatalogueEntry::Action(action)), "{entry}");
            }
        }
    }
}

#[test]
fn a_user_of_every_company_sees_reports_and_no_settings() {
    let user = Preset::role_of_every_company(&RoleName::user()).unwrap();
    let rights = Rights::compile(&user.permissions, &Catalogue::default());
    assert_eq!(rights.reach(Permission::ReportsRead), ReachSet::ALL);
    assert!(!rights.allows(Permission::SettingsWrite) && !rights.allows(Permission::UsersWrite));
}
