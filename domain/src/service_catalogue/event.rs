use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::{ActionName, CatalogueEntry, ResourceName};
use crate::ids::TenantId;
use crate::values::DisplayName;

/// What happened to a catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum ServiceCatalogueEvent {
    ServiceAdded {
        tenant_id: TenantId,
        service: ResourceName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    ServiceChanged {
        tenant_id: TenantId,
        service: ResourceName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    ServiceRemoved {
        tenant_id: TenantId,
        service: ResourceName,
        at: DateTime<Utc>,
    },
    ActionAdded {
        tenant_id: TenantId,
        action: ActionName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    ActionChanged {
        tenant_id: TenantId,
        action: ActionName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    ActionRemoved {
        tenant_id: TenantId,
        action: ActionName,
        at: DateTime<Utc>,
    },
    PermissionAdded {
        tenant_id: TenantId,
        service: ResourceName,
        action: ActionName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    PermissionChanged {
        tenant_id: TenantId,
        service: ResourceName,
        action: ActionName,
        title: DisplayName,
        at: DateTime<Utc>,
    },
    PermissionRemoved {
        tenant_id: TenantId,
        service: ResourceName,
        action: ActionName,
        at: DateTime<Utc>,
    },
}

domain_events!(ServiceCatalogueEvent {
    ServiceAdded = "1",
    ServiceChanged = "1",
    ServiceRemoved = "1",
    ActionAdded = "1",
    ActionChanged = "1",
    ActionRemoved = "1",
    PermissionAdded = "1",
    PermissionChanged = "1",
    PermissionRemoved = "1",
});

/// What an event of a catalogue comes down to.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryChange {
    /// It is there from now on.
    Added(DisplayName),
    /// It is called otherwise.
    Renamed(DisplayName),
    /// It is gone.
    Removed,
}

impl ServiceCatalogueEvent {
    /// The event that records a change of an entry.
    pub fn of(tenant_id: TenantId, entry: CatalogueEntry, change: EntryChange, at: DateTime<Utc>) -> Self {
        use EntryChange::{Added, Removed, Renamed};
        match (entry, change) {
            (CatalogueEntry::Service(service), Added(title)) => Self::ServiceAdded { tenant_id, service, title, at },
            (CatalogueEntry::Service(service), Renamed(title)) => {
                Self::ServiceChanged { tenant_id, service, title, at }
            }
            (CatalogueEntry::Service(service), Removed) => Self::ServiceRemoved { tenant_id, service, at },
            (CatalogueEntry::Action(action), Added(title)) => Self::ActionAdded { tenant_id, action, title, at },
            (CatalogueEntry::Action(action), Renamed(title)) => Self::ActionChanged { tenant_id, action, title, at },
            (CatalogueEntry::Action(action), Removed) => Self::ActionRemoved { tenant_id, action, at },
            (CatalogueEntry::Permission(service, action), Added(title)) => {
                Self::PermissionAdded { tenant_id, service, action, title, at }
            }
            (CatalogueEntry::Permission(service, action), Renamed(title)) => {
                Self::PermissionChanged { tenant_id, service, action, title, at }
            }
            (CatalogueEntry::Permission(service, action), Removed) => {
                Self::PermissionRemoved { tenant_id, service, action, at }
            }
        }
    }

    /// The tenant, the entry, what became of it, and when.
    pub fn parts(self) -> (TenantId, CatalogueEntry, EntryChange, DateTime<Utc>) {
        use EntryChange::{Added, Removed, Renamed};
        match self {
            Self::ServiceAdded { tenant_id, service, title, at } => {
                (tenant_id, CatalogueEntry::Service(service), Added(title), at)
            }
            Self::ServiceChanged { tenant_id, service, title, at } => {
                (tenant_id, CatalogueEntry::Service(service), Renamed(title), at)
            }
            Self::ServiceRemoved { tenant_id, service, at } => {
                (tenant_id, CatalogueEntry::Service(service), Removed, at)
            }
            Self::ActionAdded { tenant_id, action, title, at } => {
                (tenant_id, CatalogueEntry::Action(action), Added(title), at)
            }
            Self::ActionChanged { tenant_id, action, title, at } => {
                (tenant_id, CatalogueEntry::Action(action), Renamed(title), at)
            }
            Self::ActionRemoved { tenant_id, action, at } => (tenant_id, CatalogueEntry::Action(action), Removed, at),
            Self::PermissionAdded { tenant_id, service, action, title, at } => {
                (tenant_id, CatalogueEntry::Permission(service, action), Added(title), at)
            }
            Self::PermissionChanged { tenant_id, service, action, title, at } => {
                (tenant_id, CatalogueEntry::Permission(service, action), Renamed(title), at)
            }
            Self::PermissionRemoved { tenant_id, service, action, at } => {
                (tenant_id, CatalogueEntry::Permission(service, action), Removed, at)
            }
        }
    }
}
