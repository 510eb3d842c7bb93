use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{ApiKey, ApiKeyCommand, ApiKeyError, ApiKeyEvent, CreateApiKey};
use crate::error::FieldError;
use crate::ids::UserId;

/// The longest time that a key is valid: a leap year.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(366);

/// The most scopes of one key.
pub const MOST_SCOPES: usize = 50;

impl ApiKey {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: ApiKeyCommand) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match command {
            ApiKeyCommand::Create(new) => self.create(new),
            ApiKeyCommand::Revoke { revoked_by, at } => self.revoke(revoked_by, at),
        }
    }

    fn create(&self, new: CreateApiKey) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        let CreateApiKey { api_key_id, tenant_id, name, scopes, beyond_creator, expires_at, created_by, at } = new;
        if *self != Self::Absent {
            return Err(ApiKeyError::AlreadyExists);
        }
        let scopes: Vec<_> = scopes.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut bad = Vec::new();
        if !(1..=MOST_SCOPES).contains(&scopes.len()) {
            bad.push(FieldError::new("scopes", format!("must be 1 to {MOST_SCOPES} rights")));
        }
        if expires_at <= at || expires_at > at + LONGEST_LIFE {
            let days = LONGEST_LIFE.num_days();
            bad.push(FieldError::new(
                "expires_at",
                format!("must lie in the future, {days} days from now at the latest"),
            ));
        }
        if !bad.is_empty() {
            return Err(ApiKeyError::Fields(bad));
        }
        if !beyond_creator.is_empty() {
            return Err(ApiKeyError::BeyondCreator(beyond_creator));
        }
        Ok(vec![ApiKeyEvent::ApiKeyCreated { api_key_id, tenant_id, name, scopes, expires_at, created_by, at }])
    }

    fn revoke(&self, revoked_by: UserId, at: DateTime<Utc>) -> Result<Vec<ApiKeyEvent>, ApiKeyError> {
        match self {
            Self::Absent => Err(ApiKeyError::NotFound),
            Self::Revoked(_) => Ok(Vec::new()),
            Self::Active(details) => {
                let (api_key_id, tenant_id) = (details.api_key_id, details.tenant_id);
                Ok(vec![ApiKeyEvent::ApiKeyRevoked { api_key_id, tenant_id, revoked_by, at }])
            }
        }
    }
}
