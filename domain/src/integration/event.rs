use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{IntegrationKind, IntegrationSettings, SecretRef, Trial};
use crate::ids::{TenantId, UserId};
use crate::values::{ContentHash, Personal};

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
        /// What differs from the version before, by name. Events of earlier releases do not tell.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
        at: DateTime<Utc>,
    },
    IntegrationChecked {
        tenant_id: TenantId,
        kind: IntegrationKind,
        version: u32,
        outcome: CheckOutcome,
        /// What is to be done although it works.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attention: Option<String>,
        at: DateTime<Utc>,
    },
    IntegrationTried {
        tenant_id: TenantId,
        kind: IntegrationKind,
        version: u32,
        trial: Trial,
        outcome: CheckOutcome,
        counts: BTreeMap<String, u64>,
        staged: Option<ContentHash>,
        answer: Option<Personal<String>>,
        model: Option<String>,
        at: DateTime<Utc>,
    },
    IntegrationWritten {
        tenant_id: TenantId,
        kind: IntegrationKind,
        version: u32,
        outcome: CheckOutcome,
        written: BTreeMap<String, u64>,
        confirmed: BTreeMap<String, u64>,
        at: DateTime<Utc>,
    },
    IntegrationAuthorized {
        tenant_id: TenantId,
        version: u32,
        settings: IntegrationSettings,
        secrets: Vec<SecretRef>,
        expires_at: DateTime<Utc>,
        authorized_by: UserId,
        at: DateTime<Utc>,
    },
    IntegrationTokensRenewed {
        tenant_id: TenantId,
        version: u32,
        settings: IntegrationSettings,
        secrets: Vec<SecretRef>,
        expires_at: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    IntegrationAccessLost {
        tenant_id: TenantId,
        kind: IntegrationKind,
        version: u32,
        reason: String,
        at: DateTime<Utc>,
    },
}

domain_events!(IntegrationEvent {
    IntegrationConfigured = "1",
    IntegrationChecked = "1",
    IntegrationTried = "1",
    IntegrationWritten = "1",
    IntegrationAuthorized = "1",
    IntegrationTokensRenewed = "1",
    IntegrationAccessLost = "1",
});
