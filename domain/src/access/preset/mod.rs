//! The roles and services that a new company may begin with.
//!
//! Every company has the roles `owner` and `user`. A preset adds roles of a trade, and the services that they speak of.

mod crm;
mod property;
mod salon;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{ActionName, CatalogueEntry, Level, ManageList, ResourceName, RoleDefinition, RoleName};
use crate::values::DisplayName;

/// What a new company begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Reports over a company's own conversations: nothing but the roles of every company.
    #[default]
    Sales,
    /// Deals, clients and money.
    Crm,
    /// Requests of residents, and their payments.
    Property,
    /// Clients, bookings and a calendar.
    Salon,
}

/// A role as the tables write it.
struct RoleRow {
    name: &'static str,
    title: &'static str,
    level: u8,
    permissions: &'static [&'static str],
    may_manage: &'static [&'static str],
}

/// A service as the tables write it.
struct ServiceRow {
    name: &'static str,
    title: &'static str,
    actions: &'static [&'static str],
}

const EVERY_COMPANY: &[RoleRow] = &[
    RoleRow { name: RoleName::OWNER, title: "Owner", level: 100, permissions: &["*"], may_manage: &["*"] },
    RoleRow {
        name: RoleName::USER,
        title: "User",
        level: 10,
        permissions: &["runs:read", "reports:read", "analytics:read:stats"],
        may_manage: &[],
    },
];

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Sales, Self::Crm, Self::Property, Self::Salon];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::Crm => "crm",
            Self::Property => "property",
            Self::Salon => "salon",
        }
    }

    /// The roles, those of every company first.
    pub fn roles(self) -> Vec<RoleDefinition> {
        let own = match self {
            Self::Sales => &[][..],
            Self::Crm => crm::ROLES,
            Self::Property => property::ROLES,
            Self::Salon => salon::ROLES,
        };
        EVERY_COMPANY.iter().chain(own).map(RoleRow::definition).collect()
    }

    /// What is added to the catalogue: services, their actions that are not built in, and the permissions that they make.
    pub fn catalogue(self) -> Vec<(CatalogueEntry, DisplayName)> {
        let services = match self {
            Self::Sales => &[][..],
            Self::Crm => crm::SERVICES,
            Self::Property => property::SERVICES,
            Self::Salon => salon::SERVICES,
        };
        let mut entries: Vec<(CatalogueEntry, DisplayName)> = services.iter().flat_map(ServiceRow::entries).collect();
        entries.retain(|(entry, _)| !entry.is_built_in());
        entries.sort();
        entries.dedup_by(|(later, _), (first, _)| later == first);
        entries
    }

    /// The definition of a role of every company.
    pub fn role_of_every_company(name: &RoleName) -> Option<RoleDefinition> {
        EVERY_COMPANY.iter().find(|row| row.name == name.as_str()).map(RoleRow::definition)
    }
}

impl std::str::FromStr for Preset {
    type Err = crate::values::ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|preset| preset.name() == text);
        named.ok_or_else(|| crate::values::ValueError("must be sales, crm, property or salon".into()))
    }
}

const GOOD_TABLE: &str = "the tables of presets are read by tests";

impl RoleRow {
    fn definition(&self) -> RoleDefinition {
        let names: Vec<String> = self.may_manage.iter().map(|name| (*name).to_owned()).collect();
        RoleDefinition {
            name: self.name.parse().expect(GOOD_TABLE),
            title: self.title.parse().expect(GOOD_TABLE),
            level: Level::try_from(self.level).expect(GOOD_TABLE),
            permissions: self.permissions.iter().map(|grant| grant.parse().expect(GOOD_TABLE)).collect(),
            may_manage: ManageList::try_from(names).expect(GOOD_TABLE),
        }
    }
}

impl ServiceRow {
    fn entries(&self) -> Vec<(CatalogueEntry, DisplayName)> {
        let service: ResourceName = self.name.parse().expect(GOOD_TABLE);
        let title = |text: &str| text.parse::<DisplayName>().expect(GOOD_TABLE);
        let mut entries = vec![(CatalogueEntry::Service(service.clone()), title(self.title))];
        for action in self.actions {
            let name: ActionName = action.parse().expect(GOOD_TABLE);
            let words = action.replace('_', " ");
            entries.push((CatalogueEntry::Action(name.clone()), title(&words)));
            let permission = CatalogueEntry::Permission(service.clone(), name);
            entries.push((permission, title(&format!("{}: {words}", self.title))));
        }
        entries
    }
}
