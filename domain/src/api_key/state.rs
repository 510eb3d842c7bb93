use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ApiKeyEvent;
use crate::access::Grant;
use crate::ids::{ApiKeyId, TenantId};

/// The situations of a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum ApiKey {
    /// Never created.
    #[default]
    Absent,
    /// Not revoked; its time may be over.
    Active(ApiKeyDetails),
    /// Ended for good.
    Revoked(ApiKeyDetails),
}

/// What is known of a key from its first event on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyDetails {
    /// Its id.
    pub api_key_id: ApiKeyId,
    /// The tenant that it belongs to.
    pub tenant_id: TenantId,
    /// What it may do, in order and each once.
    pub scopes: Vec<Grant>,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
}

impl ApiKey {
    /// The details, in every situation but `Absent`.
    pub fn details(&self) -> Option<&ApiKeyDetails> {
        match self {
            Self::Absent => None,
            Self::Active(details) | Self::Revoked(details) => Some(details),
        }
    }

    /// Whether the key may be used at this time: then its details.
    pub fn allows_at(&self, now: DateTime<Utc>) -> Option<&ApiKeyDetails> {
        match self {
            Self::Active(details) if now < details.expires_at => Some(details),
            Self::Absent | Self::Active(_) | Self::Revoked(_) => None,
        }
    }

    pub(super) fn evolve(self, event: ApiKeyEvent) -> Self {
        match event {
            ApiKeyEvent::ApiKeyCreated { api_key_id, tenant_id, scopes, expires_at, .. } => {
                Self::Active(ApiKeyDetails { api_key_id, tenant_id, scopes, expires_at })
            }
            ApiKeyEvent::ApiKeyRevoked { .. } => match self {
                Self::Active(details) | Self::Revoked(details) => Self::Revoked(details),
                Self::Absent => Self::Absent,
            },
        }
    }
}
