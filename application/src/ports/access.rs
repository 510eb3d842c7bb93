//! Who may do what: in memory for every request, and as tables for those who manage it.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::{CatalogueEntry, EntryKind, RoleName};
use domain::ids::{EntryId, RoleId, TenantId};

use crate::access::TenantAccess;
use crate::context::TenantScope;
use crate::error::PortError;
use crate::ports::read_models::{Found, Page, PageRequest};

/// The roles of tenants, compiled and kept in step with the log in every process.
#[async_trait]
pub trait AccessMatrix: Send + Sync {
    /// The tenant's roles, at most a second behind the log.
    async fn of(&self, tenant: TenantId) -> Result<Arc<TenantAccess>, PortError>;
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: RoleName,
    /// What people call it.
    pub title: String,
    /// How high it stands, 1 to 100.
    pub level: u8,
    /// What it may, in the stored form.
    pub permissions: Vec<String>,
    /// The roles that it may manage; `*` is every one.
    pub may_manage: Vec<String>,
    /// The sequence of the role's last event that this view has seen.
    pub version: u64,
    /// When it was defined last.
    pub defined_at: DateTime<Utc>,
}

/// An entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// Its id.
    pub id: EntryId,
    /// What it names.
    pub entry: CatalogueEntry,
    /// What people call it.
    pub title: String,
    /// True where Synkro's own operations use it.
    pub built_in: bool,
    /// When it was added; the beginning of Unix time for what is built in.
    pub added_at: DateTime<Utc>,
}

/// Roles.
#[async_trait]
pub trait Roles: Send + Sync {
    /// One role of the tenant that is in use.
    async fn get(&self, scope: &TenantScope, id: RoleId) -> Result<Found<Option<RoleView>>, PortError>;

    /// The tenant's roles in use, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<RoleView>, PortError>;
}

/// What tenants have added to the catalogue.
#[async_trait]
pub trait AddedEntries: Send + Sync {
    /// All that the tenant has added of this kind, in no order; a catalogue is small.
    async fn of_kind(&self, scope: &TenantScope, kind: EntryKind) -> Result<Found<Vec<EntryView>>, PortError>;
}
