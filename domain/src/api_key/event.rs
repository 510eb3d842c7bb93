use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Grant;
use crate::ids::{ApiKeyId, TenantId, UserId};
use crate::values::DisplayName;

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum ApiKeyEvent {
    ApiKeyCreated {
        api_key_id: ApiKeyId,
        tenant_id: TenantId,
        name: DisplayName,
        scopes: Vec<Grant>,
        expires_at: DateTime<Utc>,
        created_by: UserId,
        at: DateTime<Utc>,
    },
    ApiKeyRevoked {
        api_key_id: ApiKeyId,
        tenant_id: TenantId,
        revoked_by: UserId,
        at: DateTime<Utc>,
    },
}

domain_events!(ApiKeyEvent { ApiKeyCreated = "1", ApiKeyRevoked = "1" });
