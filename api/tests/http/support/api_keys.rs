//! One key that reads runs. What keys are for is tested on whole systems.

use std::collections::HashMap;
use std::sync::Arc;

use application::ports::api_keys::{ApiKeySecrets, ApiKeyView, ApiKeys, ApiKeysInForce};
use application::ports::read_models::{Found, Page, PageRequest};
use application::use_cases::ManageApiKeys;
use application::{PortError, TenantScope};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::api_key::{ApiKey, ApiKeyDetails};
use domain::ids::{ApiKeyId, TenantId};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::access::Untouched;
use super::accounts::Log;
use super::memory::{Memory, tenant};
use super::ports::Outcome;

/// A key that may read runs.
pub(crate) const KEY: &str = "syn_reads_runs";

pub(super) fn manage_api_keys(memory: &Arc<Memory>) -> ManageApiKeys {
    ManageApiKeys {
        keys: Arc::<Log<ApiKey>>::default(),
        roles: Arc::new(Untouched),
        catalogues: Arc::new(Untouched),
        secrets: Arc::new(Untouched),
        views: Arc::new(Untouched),
        clock: memory.clone(),
        ids: memory.clone(),
    }
}

#[async_trait]
impl ApiKeysInForce for Memory {
    async fn recognize(&self, presented: &SecretString, now: DateTime<Utc>) -> Outcome<Option<Arc<ApiKeyDetails>>> {
        if Self::is(&self.down) {
            return Err(PortError::Unavailable("down".into()));
        }
        Ok((presented.expose_secret() == KEY).then(|| {
            Arc::new(ApiKeyDetails {
                api_key_id: Uuid::from_u128(71).into(),
                tenant_id: tenant(1),
                scopes: vec!["runs:read".parse().unwrap()],
                expires_at: now + TimeDelta::days(1),
            })
        }))
    }
}

#[async_trait]
impl ApiKeySecrets for Untouched {
    async fn issue(&self, _tenant: TenantId, key: ApiKeyId) -> Outcome<SecretString> {
        Ok(format!("syn_{}_secret", key.uuid().simple()).into())
    }

    async fn recognize(&self, _presented: &SecretString, _now: DateTime<Utc>) -> Outcome<Option<ApiKeyId>> {
        Ok(None)
    }

    async fn last_used(&self, _tenant: TenantId, _keys: &[ApiKeyId]) -> Outcome<HashMap<ApiKeyId, DateTime<Utc>>> {
        Ok(HashMap::new())
    }

    async fn forget(&self, _tenant: TenantId, _key: ApiKeyId) -> Outcome<()> {
        Ok(())
    }
}

#[async_trait]
impl ApiKeys for Untouched {
    async fn get(&self, _scope: &TenantScope, _id: ApiKeyId) -> Outcome<Found<Option<ApiKeyView>>> {
        Ok(Found { item: None, parked: 0 })
    }

    async fn list(&self, _scope: &TenantScope, _page: PageRequest) -> Outcome<Page<ApiKeyView>> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}
