use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{IntegrationKind, IntegrationSettings, SecretRef};
use crate::ids::TenantId;

/// What a check of the connection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum CheckOutcome {
    /// The service answered as it should.
    Working,
    /// It did not.
    Failing {
        /// What is wrong and what to do, for the tenant's admin; without secrets.
        reason: String,
    },
}

/// What happened to an integration's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum IntegrationEvent {
    IntegrationConfigured {
        tenant_id: TenantId,
        version: u32,
        settings: IntegrationSettings,
        secrets: Vec<SecretRef>,
        at: DateTime<Utc>,
    },
    IntegrationChecked {
        tenant_id: TenantId,
        kind: IntegrationKind,
        version: u32,
        outcome: CheckOutcome,
        at: DateTime<Utc>,
    },
}

domain_events!(IntegrationEvent { IntegrationConfigured = "1", IntegrationChecked = "1" });
