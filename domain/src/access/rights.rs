use std::collections::BTreeMap;

use super::{ActionName, Catalogue, Grant, Permission, ReachSet, ResourceName};

/// What a role may, compiled for asking: one bit per built-in right, and the reaches of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    built_in: u64,
    reaches: [ReachSet; Permission::COUNT],
    added: BTreeMap<ResourceName, BTreeMap<ActionName, ReachSet>>,
}

impl Rights {
    /// Compiles patterns over what the catalogue knows. What no pattern matches is denied.
    pub fn compile<'a>(grants: impl IntoIterator<Item = &'a Grant>, catalogue: &Catalogue) -> Self {
        let mut rights = Self::default();
        for grant in grants {
            rights.add(grant, catalogue);
        }
        rights
    }

    /// Everything that is built in.
    pub fn everything() -> Self {
        Self::compile([&Grant::EVERYTHING], &Catalogue::default())
    }

    /// These rights in their whole, and nothing else.
    pub fn only(permissions: &[Permission]) -> Self {
        permissions.iter().fold(Self::default(), |mut rights, permission| {
            rights.built_in |= permission.bit();
            rights.reaches[permission.index()] = permission.reaches().widest();
            rights
        })
    }

    /// Whether the role has the right, with whatever reach.
    #[inline]
    pub fn allows(&self, permission: Permission) -> bool {
        self.built_in & permission.bit() != 0
    }

    /// The reaches of a built-in right.
    #[inline]
    pub fn reach(&self, permission: Permission) -> ReachSet {
        self.reaches[permission.index()]
    }

    /// The reaches of a right by its name, whether built in or of the company's own catalogue.
    pub fn reach_by_name(&self, resource: &str, action: &str) -> ReachSet {
        if let Some(permission) = Permission::find(resource, action) {
            return self.reach(permission);
        }
        self.added.get(resource).and_then(|actions| actions.get(action)).copied().unwrap_or_default()
    }

    fn add(&mut self, grant: &Grant, catalogue: &Catalogue) {
        for permission in Permission::ALL {
            if grant.matches(permission.resource(), permission.action()) {
                // A wider reach than any that the right tells apart is its whole.
                let known = permission.reaches().iter().filter(|known| grant.reach().covers(*known));
                let reaches = known.fold(self.reach(permission), ReachSet::with).widest();
                self.reaches[permission.index()] = reaches;
                if !reaches.is_empty() {
                    self.built_in |= permission.bit();
                }
            }
        }
        for (resource, action) in catalogue.permissions() {
            if grant.matches(resource.as_str(), action.as_str()) {
                let actions = self.added.entry(resource.clone()).or_default();
                let reaches = actions.entry(action.clone()).or_default();
                *reaches = reaches.with(grant.reach()).widest();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{CatalogueEntry, Reach};

    fn rights(grants: &[&str]) -> Rights {
        let mut catalogue = Catalogue::default();
        for (resource, action) in [("requests", "read"), ("requests", "update")] {
            let entry = CatalogueEntry::permission(resource.parse().unwrap(), action.parse().unwrap());
            catalogue.put(entry, "Requests".parse().unwrap());
        }
        let grants: Vec<Grant> = grants.iter().map(|grant| grant.parse().unwrap()).collect();
        Rights::compile(&grants, &catalogue)
    }

    #[test]
    fn what_was_not_granted_is_denied() {
        for permission in Permission::ALL {
            assert!(!rights(&[]).allows(permission), "{}", permission.name());
            assert!(rights(&["*"]).allows(permission), "{}", permission.name());
        }
        assert!(rights(&["*"]).reach_by_name("requests", "delete").is_empty());
        assert!(rights(&["requests:delete", "boats:*"]).reach_by_name("requests", "delete").is_empty());
    }

    #[test]
    fn one_right_alone_is_that_and_no_other() {
        for permission in Permission::ALL {
            let only = Rights::only(&[permission]);
            assert_eq!(only, rights(&[permission.name()]), "{}", permission.name());
        }
    }

    #[test]
    fn patterns_reach_as_far_as_they_say() {
        let some = rights(&["reports:read:stats", "runs:*", "requests:*:own", "requests:read"]);
        assert_eq!(some.reach(Permission::ReportsRead), ReachSet::of(&[Reach::Stats]));
        assert!(some.allows(Permission::RunsStart) && !some.allows(Permission::SettingsWrite));
        assert_eq!(some.reach_by_name("requests", "read"), ReachSet::ALL);
        assert_eq!(some.reach_by_name("requests", "update"), ReachSet::of(&[Reach::Own]));
        assert_eq!(some.reach_by_name("runs", "read"), ReachSet::ALL);
    }

    #[test]
    fn several_reaches_of_one_right_are_kept() {
        let both = rights(&["reports:read:limited", "reports:read:anonymized", "reports:read:stats"]);
        assert_eq!(both.reach(Permission::ReportsRead), ReachSet::of(&[Reach::Limited, Reach::Anonymized]));
    }

    /// Settings have no owner and no tiers, so a smaller reach than all of them would be a promise that nobody keeps.
    #[test]
    fn a_reach_that_a_right_cannot_keep_grants_nothing() {
        let own = rights(&["settings:write:own", "runs:read:limited", "reports:read:own"]);
        for permission in Permission::ALL {
            assert!(!own.allows(permission), "{}", permission.name());
        }
    }
}
