use chrono::{DateTime, Utc};

use crate::ids::TenantId;
use crate::values::{DisplayName, Language, Slug};

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
