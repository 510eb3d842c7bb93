//! API keys: their secrets, which of them are in force, and the table that lists them.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::access::Grant;
use domain::api_key::ApiKeyDetails;
use domain::ids::{ApiKeyId, TenantId, UserId};
use secrecy::SecretString;

use super::read_models::{Found, Page, PageRequest};
use crate::context::TenantScope;
use crate::error::PortError;

/// Where the hashes of keys' secrets are kept; never in the log.
#[async_trait]
pub trait ApiKeySecrets: Send + Sync {
    /// Makes a secret for the key and keeps its hash. Gives the whole key as the client sends it: this once, because
    /// nobody can make it again.
    async fn issue(&self, tenant: TenantId, key: ApiKeyId) -> Result<SecretString, PortError>;

    /// Which key this is, where its secret is right, and notes that it was used. Whether the key is still in force is in
    /// the log.
    async fn recognize(&self, presented: &SecretString, now: DateTime<Utc>) -> Result<Option<ApiKeyId>, PortError>;

    /// When the keys were last used, exact to a minute; without those that were not, or have no secret any more.
    async fn last_used(
        &self,
        tenant: TenantId,
        keys: &[ApiKeyId],
    ) -> Result<HashMap<ApiKeyId, DateTime<Utc>>, PortError>;

    /// Forgets the secret of a key that is revoked, or was never recorded.
    async fn forget(&self, tenant: TenantId, key: ApiKeyId) -> Result<(), PortError>;
}

/// The keys that are in force, in every process.
#[async_trait]
pub trait ApiKeysInForce: Send + Sync {
    /// The key that this is, where its secret is right, it is neither revoked nor out of time, and its tenant is open: by
    /// the log of a second ago or later.
    async fn recognize(
        &self,
        presented: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<ApiKeyDetails>>, PortError>;
}

/// A key as those who manage keys see it. Its secret is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Grant>,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
    /// When it was revoked and by whom; none while it is not.
    pub revoked: Option<(DateTime<Utc>, UserId)>,
}

/// The read model of keys.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// One key of the tenant.
    async fn get(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Found<Option<ApiKeyView>>, PortError>;

    /// The tenant's keys, newest first, those that were revoked or are out of time included.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ApiKeyView>, PortError>;
}
