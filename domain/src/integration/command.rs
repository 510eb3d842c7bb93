use chrono::{DateTime, Utc};

use super::{CheckOutcome, IntegrationSettings, SecretRef};
use crate::ids::TenantId;

/// What can be asked of an integration's configuration.
#[derive(Debug, Clone)]
pub enum IntegrationCommand {
    /// Save settings and secrets.
    Configure(Configure),
    /// Record what a check of the connection found.
    RecordCheck {
        /// The version that was checked.
        version: u32,
        /// What it found.
        outcome: CheckOutcome,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// Settings and secrets to save.
#[derive(Debug, Clone)]
pub struct Configure {
    /// The owner.
    pub tenant_id: TenantId,
    /// The settings.
    pub settings: IntegrationSettings,
    /// The secrets that change; the others stay as they are, whoever changed them last.
    pub secrets: Vec<SecretRef>,
    /// Now.
    pub at: DateTime<Utc>,
}
