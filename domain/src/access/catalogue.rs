use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ActionName, Grant, Permission, ResourceName};
use crate::error::FieldError;
use crate::values::DisplayName;

/// One thing that a catalogue names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CatalogueEntry {
    /// What rights are about.
    Service(ResourceName),
    /// What rights allow to do.
    Action(ActionName),
    /// An action that makes sense with a service: only these can be granted one by one.
    Permission(ResourceName, ActionName),
}

/// The three kinds of [`CatalogueEntry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// [`CatalogueEntry::Service`].
    Service,
    /// [`CatalogueEntry::Action`].
    Action,
    /// [`CatalogueEntry::Permission`].
    Permission,
}

impl EntryKind {
    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Action => "action",
            Self::Permission => "permission",
        }
    }
}

impl CatalogueEntry {
    /// A permission.
    pub fn permission(service: ResourceName, action: ActionName) -> Self {
        Self::Permission(service, action)
    }

    /// Which of the three it is.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Service(_) => EntryKind::Service,
            Self::Action(_) => EntryKind::Action,
            Self::Permission(..) => EntryKind::Permission,
        }
    }

    /// True where Synkro's own operations use it.
    pub fn is_built_in(&self) -> bool {
        Permission::ALL.into_iter().any(|right| match self {
            Self::Service(service) => right.resource() == service.as_str(),
            Self::Action(action) => right.action() == action.as_str(),
            Self::Permission(service, action) => {
                right.resource() == service.as_str() && right.action() == action.as_str()
            }
        })
    }

    /// Everything that Synkro's own operations use, each once.
    pub fn built_in() -> Vec<Self> {
        let mut entries = Vec::new();
        for right in Permission::ALL {
            let (service, action) = (ResourceName::built_in(right.resource()), ActionName::built_in(right.action()));
            let pair = Self::Permission(service.clone(), action.clone());
            entries.extend([Self::Service(service), Self::Action(action), pair]);
        }
        entries.sort();
        entries.dedup();
        entries
    }
}

impl fmt::Display for CatalogueEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => service.fmt(f),
            Self::Action(action) => action.fmt(f),
            Self::Permission(service, action) => write!(f, "{service}:{action}"),
        }
    }
}

/// What a company has added to the built-in services, actions and permissions, with the titles that people read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(CatalogueEntry, DisplayName)>", into = "Vec<(CatalogueEntry, DisplayName)>")]
pub struct Catalogue(BTreeMap<CatalogueEntry, DisplayName>);

impl From<Vec<(CatalogueEntry, DisplayName)>> for Catalogue {
    fn from(entries: Vec<(CatalogueEntry, DisplayName)>) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl From<Catalogue> for Vec<(CatalogueEntry, DisplayName)> {
    fn from(catalogue: Catalogue) -> Self {
        catalogue.0.into_iter().collect()
    }
}

impl Catalogue {
    /// Adds an entry or gives it another title.
    pub fn put(&mut self, entry: CatalogueEntry, title: DisplayName) {
        self.0.insert(entry, title);
    }

    /// Takes an entry out.
    pub fn take(&mut self, entry: &CatalogueEntry) {
        self.0.remove(entry);
    }

    /// The title of an entry that the company has added.
    pub fn title(&self, entry: &CatalogueEntry) -> Option<&DisplayName> {
        self.0.get(entry)
    }

    /// How many entries the company has added.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where the company has added none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for what is built in or was added.
    pub fn knows(&self, entry: &CatalogueEntry) -> bool {
        entry.is_built_in() || self.0.contains_key(entry)
    }

    /// What the company has added, with its titles.
    pub fn entries(&self) -> impl Iterator<Item = (&CatalogueEntry, &DisplayName)> {
        self.0.iter()
    }

    /// The permissions that the company has added.
    pub fn permissions(&self) -> impl Iterator<Item = (&ResourceName, &ActionName)> {
        self.0.keys().filter_map(|entry| match entry {
            CatalogueEntry::Permission(service, action) => Some((service, action)),
            CatalogueEntry::Service(_) | CatalogueEntry::Action(_) => None,
        })
    }

    /// An added permission that is made of this service or action.
    pub fn user_of(&self, entry: &CatalogueEntry) -> Option<CatalogueEntry> {
        let uses = |service: &ResourceName, action: &ActionName| match entry {
            CatalogueEntry::Service(name) => name == service,
            CatalogueEntry::Action(name) => name == action,
            CatalogueEntry::Permission(..) => false,
        };
        let mut using = self.permissions().filter(|(service, action)| uses(service, action));
        using.next().map(|(service, action)| CatalogueEntry::Permission(service.clone(), action.clone()))
    }

    /// The patterns that name something which nobody has added. A wildcard speaks of whatever there is.
    pub fn unknown<'a>(&self, field: &str, grants: impl IntoIterator<Item = &'a Grant>) -> Vec<FieldError> {
        let known = |grant: &Grant| match (grant.resource(), grant.action()) {
            (Some(service), Some(action)) => self.knows(&CatalogueEntry::Permission(service.clone(), action.clone())),
            (Some(service), None) => self.knows(&CatalogueEntry::Service(service.clone())),
            (None, Some(action)) => self.knows(&CatalogueEntry::Action(action.clone())),
            (None, None) => true,
        };
        let unknown = grants.into_iter().filter(|grant| !known(grant));
        let message =
            |grant: &Grant| format!("{grant} is not in the catalogue; add its service, action and permission first");
        unknown.map(|grant| FieldError::new(field, message(grant))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_entries_are_those_of_the_rights() {
        let entries = CatalogueEntry::built_in();
        assert!(entries.iter().all(CatalogueEntry::is_built_in));
        for right in Permission::ALL {
            assert!(right.name().parse::<Grant>().is_ok_and(|grant| grant.to_string() == right.name()));
        }
        let permissions = entries.iter().filter(|entry| entry.kind() == EntryKind::Permission).count();
        assert_eq!(permissions, Permission::COUNT);
    }

    #[test]
    fn a_pattern_must_name_what_there_is() {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Grant>>();
        let catalogue = Catalogue::default();
        assert!(
            catalogue.unknown("permissions", &read(&["*", "*:read", "reports:*", "reports:read:stats"])).is_empty()
        );
        let unknown = catalogue.unknown("permissions", &read(&["boats:*", "reports:sail", "*:sail"]));
        assert_eq!(unknown.len(), 3, "{unknown:?}");
    }
}
