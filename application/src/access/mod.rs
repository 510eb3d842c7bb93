//! What a tenant's people may, and how much of a thing they are shown.

pub mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::{Catalogue, Grant, Preset, Rights, RoleDefinition, RoleName};
use domain::role::{Role, RoleEvent};
use domain::service_catalogue::{ServiceCatalogue, ServiceCatalogueEvent};

/// A tenant's roles with their compiled rights, made from its events.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantAccess {
    roles: BTreeMap<RoleName, (RoleDefinition, Arc<Rights>)>,
    nothing: Arc<Rights>,
    catalogue: Catalogue,
}

impl TenantAccess {
    /// From the tenant's events: those of its roles, each role's in their order, and those of its catalogue in theirs.
    ///
    /// The roles of every company are there before any event, and until one says otherwise.
    pub fn of_events(
        roles: impl IntoIterator<Item = RoleEvent>,
        catalogue: impl IntoIterator<Item = ServiceCatalogueEvent>,
    ) -> Self {
        let kept = catalogue.into_iter().fold(ServiceCatalogue::default(), ServiceCatalogue::evolve);
        let catalogue = kept.catalogue().cloned().unwrap_or_default();
        let mut folded: BTreeMap<_, Role> = BTreeMap::new();
        for event in roles {
            let role = folded.entry(event.role_id()).or_default();
            *role = std::mem::take(role).evolve(event);
        }
        let mut definitions: BTreeMap<RoleName, RoleDefinition> = BTreeMap::new();
        for name in [RoleName::owner(), RoleName::user()] {
            definitions.extend(Preset::role_of_every_company(&name).map(|role| (name, role)));
        }
        for role in folded.into_values() {
            match role {
                Role::Defined(_, definition) => {
                    definitions.insert(definition.name.clone(), definition);
                }
                Role::Removed(_, definition) => {
                    definitions.remove(&definition.name);
                }
                Role::Absent => {}
            }
        }
        let compiled = |definition: RoleDefinition| {
            let rights = Arc::new(Rights::compile(&definition.permissions, &catalogue));
            (definition.name.clone(), (definition, rights))
        };
        let roles = definitions.into_values().map(compiled).collect();
        Self { roles, nothing: Arc::default(), catalogue }
    }

    /// What a role may; nothing, where there is no such role.
    pub fn rights(&self, role: &RoleName) -> Arc<Rights> {
        self.roles.get(role).map_or_else(|| Arc::clone(&self.nothing), |(_, rights)| Arc::clone(rights))
    }

    /// What these permissions allow, over what the tenant's catalogue knows.
    pub fn rights_of<'a>(&self, permissions: impl IntoIterator<Item = &'a Grant>) -> Rights {
        Rights::compile(permissions, &self.catalogue)
    }

    /// The roles in use and what each may, by name.
    pub fn roles(&self) -> impl Iterator<Item = (&RoleName, &Arc<Rights>)> {
        self.roles.iter().map(|(name, (_, rights))| (name, rights))
    }

    /// What a role is, where it is in use.
    pub fn role(&self, name: &RoleName) -> Option<&RoleDefinition> {
        self.roles.get(name).map(|(definition, _)| definition)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use domain::access::{Authority, CatalogueEntry, Permission, ReachSet};
    use domain::ids::{RoleId, TenantId};
    use domain::role::{RoleAsk, RoleCommand};
    use domain::service_catalogue::EntryChange;
    use uuid::Uuid;

    use super::*;

    fn tenant() -> TenantId {
        TenantId::from(Uuid::from_u128(1))
    }

    fn at() -> DateTime<Utc> {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    fn defined(preset: Preset) -> Vec<RoleEvent> {
        let define = |role| {
            let ask = RoleAsk::Define(tenant(), role);
            Role::default().decide(RoleCommand { ask, by: Authority::Platform, at: at() }).unwrap()
        };
        preset.roles().into_iter().flat_map(define).collect()
    }

    fn catalogue(preset: Preset) -> Vec<ServiceCatalogueEvent> {
        let added = |(entry, title)| ServiceCatalogueEvent::of(tenant(), entry, EntryChange::Added(title), at());
        preset.catalogue().into_iter().map(added).collect()
    }

    #[test]
    fn before_any_event_there_are_the_roles_of_every_company() {
        let access = TenantAccess::of_events([], []);
        assert!(access.rights(&RoleName::owner()).allows(Permission::SettingsWrite));
        assert!(access.rights(&RoleName::user()).allows(Permission::ReportsRead));
        let unknown: RoleName = "admin".parse().unwrap();
        assert_eq!((access.role(&unknown), *access.rights(&unknown) == Rights::default()), (None, true));
    }

    #[test]
    fn events_decide_what_a_role_may() {
        let mut events = defined(Preset::Property);
        let staff: RoleName = "staff".parse().unwrap();
        let (role_id, tenant_id) = (RoleId::of(tenant(), &staff), tenant());
        let access = TenantAccess::of_events(events.clone(), catalogue(Preset::Property));
        assert_eq!(access.rights(&staff).reach_by_name("requests", "read"), ReachSet::ALL);
        let permission = "requests:read".parse().unwrap();
        events.push(RoleEvent::PermissionRevoked { role_id, tenant_id, permission, at: at() });
        let access = TenantAccess::of_events(events.clone(), catalogue(Preset::Property));
        assert!(access.rights(&staff).reach_by_name("requests", "read").is_empty());
        assert!(!access.rights(&staff).reach_by_name("requests", "update").is_empty());
        events.push(RoleEvent::RoleRemoved { role_id, tenant_id, at: at() });
        let access = TenantAccess::of_events(events, catalogue(Preset::Property));
        assert!(access.rights(&staff).reach_by_name("requests", "update").is_empty());
    }

    #[test]
    fn what_leaves_the_catalogue_is_denied() {
        let (owner, mut entries) = (RoleName::owner(), catalogue(Preset::Property));
        let allowed = |entries: &[ServiceCatalogueEvent]| {
            let access = TenantAccess::of_events(defined(Preset::Property), entries.to_vec());
            !access.rights(&owner).reach_by_name("payments", "create").is_empty()
        };
        assert!(allowed(&entries));
        let entry = CatalogueEntry::permission("payments".parse().unwrap(), "create".parse().unwrap());
        entries.push(ServiceCatalogueEvent::of(tenant(), entry, EntryChange::Removed, at()));
        assert!(!allowed(&entries));
    }

    #[test]
    fn a_removed_user_role_is_not_brought_back_by_its_name() {
        let (tenant_id, user) = (tenant(), RoleName::user());
        let mut events = defined(Preset::Sales);
        events.push(RoleEvent::RoleRemoved { role_id: RoleId::of(tenant_id, &user), tenant_id, at: at() });
        assert_eq!(TenantAccess::of_events(events, []).role(&user), None);
    }
}
