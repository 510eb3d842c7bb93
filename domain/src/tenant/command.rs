use chrono::{DateTime, Utc};

use crate::ids::TenantId;
use crate::values::{ContentHash, DisplayName, Language, Reason, Slug};

/// What can be asked of a tenant.
#[derive(Debug, Clone)]
pub enum TenantCommand {
    /// Create it.
    Provision(ProvisionTenant),
    /// Open it for use, once everything it needs is there.
    Activate {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Give it another name. Its slug stays.
    Rename {
        /// The new name.
        name: DisplayName,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Keep everybody and everything of it out until it is resumed.
    Suspend {
        /// Why.
        reason: Reason,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Open it again, from a suspension or from an offboarding that was thought better of.
    Resume {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Begin its end: as suspended, and its data can be exported.
    BeginOffboarding {
        /// Why.
        reason: Reason,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that its data was handed out.
    RecordExport(TenantExport),
    /// End it for good. Its slug is free again.
    Close {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// A new company.
#[derive(Debug, Clone)]
pub struct ProvisionTenant {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its name as people read it.
    pub name: DisplayName,
    /// Its short name in addresses.
    pub slug: Slug,
    /// The language of its reports and messages.
    pub language: Language,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A whole copy of a tenant's events.
#[derive(Debug, Clone)]
pub struct TenantExport {
    /// How many events it holds.
    pub events: u64,
    /// SHA-256 of the exported file, so that it can be recognized.
    pub digest: ContentHash,
    /// Now.
    pub at: DateTime<Utc>,
}
