//! Which API keys are in force, in the memory of this process.
//!
//! A key that was recognized is remembered under the SHA-256 of what was shown, for as long as its use need not be noted
//! again, and forgotten when an event changes the key or its company; so a revocation counts a look of the follower later.
//! Where this process has lost sight of the log, nothing is taken from memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use application::PortError;
use application::ports::api_keys::{ApiKeySecrets, ApiKeysInForce};
use application::ports::commands::LogPosition;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::api_key::{ApiKey, ApiKeyDetails};
use domain::ids::ApiKeyId;
use domain::tenant::Tenant;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::PgApiKeySecrets;
use super::api_keys::USE_IS_NOTED_EVERY;
use crate::database::Database;
use crate::error::{from_sqlx, internal};
use crate::event_store::{LogReader, LoggedEvent};
use crate::follower::{Freshness, LiveView};

/// Keys that are remembered at most; the memory of one is some hundred bytes.
const MOST_KEYS: usize = 20_000;

/// A process that has not seen the end of the log for so long asks the database about every key.
const FRESH: Duration = Duration::from_secs(1);

/// SHA-256 of a whole key.
type Fingerprint = [u8; 32];

/// A key that was recognized.
struct Known {
    key: Arc<ApiKeyDetails>,
    since: Instant,
}

/// The keys in force, as a view that follows the log.
pub struct LiveApiKeys {
    database: Database,
    reader: LogReader,
    secrets: Arc<PgApiKeySecrets>,
    known: RwLock<HashMap<Fingerprint, Known>>,
    /// Counts what was forgotten, so that a look at the log can tell whether it was overtaken.
    forgotten: AtomicU64,
    freshness: OnceLock<Freshness>,
}

impl LiveApiKeys {
    /// Over this database. It remembers nothing until it is followed.
    pub fn new(database: &Database, secrets: Arc<PgApiKeySecrets>) -> Self {
        Self {
            database: database.clone(),
            reader: LogReader::new(database.clone()),
            secrets,
            known: RwLock::default(),
            forgotten: AtomicU64::new(0),
            freshness: OnceLock::new(),
        }
    }

    /// Says where to ask how current the view is. The first one stays.
    pub fn follow(&self, freshness: Freshness) {
        self.freshness.get_or_init(|| freshness);
    }

    fn remembered(&self, fingerprint: &Fingerprint) -> Option<Arc<ApiKeyDetails>> {
        if !self.freshness.get().is_some_and(|freshness| freshness.within(FRESH)) {
            return None;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(fingerprint).filter(|known| known.since.elapsed() < USE_IS_NOTED_EVERY);
        found.map(|known| Arc::clone(&known.key))
    }

    /// Remembers what was found before anything was forgotten since.
    fn remember(&self, fingerprint: Fingerprint, key: &Arc<ApiKeyDetails>, before: u64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if self.forgotten.load(Ordering::Acquire) == before {
            if known.len() >= MOST_KEYS {
                known.clear();
            }
            known.insert(fingerprint, Known { key: Arc::clone(key), since: Instant::now() });
        }
    }

    /// Forgets under the lock under which keys are remembered, so that none slips in between the count and the map.
    fn forget(&self, stays: impl Fn(&ApiKeyDetails) -> bool) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        known.retain(|_, known| stays(&known.key));
    }

    /// The key and its company as the log has them now.
    async fn load(&self, id: ApiKeyId) -> Result<(ApiKey, Tenant), PortError> {
        let events: Vec<(String, Value)> = sqlx::query_as(
            "select aggregate_type, payload from events
             where (aggregate_type = 'api_key' and aggregate_id = $1::text)
                or (aggregate_type = 'tenant'
                    and aggregate_id = (select tenant_id::text from api_key_secrets where api_key_id = $1))
             order by sequence",
        )
        .bind(id.uuid())
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let (mut key, mut tenant) = (ApiKey::default(), Tenant::default());
        for (kind, payload) in events {
            if kind == ApiKey::TYPE {
                key.apply(serde_json::from_value(payload).map_err(internal)?);
            } else {
                tenant.apply(serde_json::from_value(payload).map_err(internal)?);
            }
        }
        Ok((key, tenant))
    }
}

#[async_trait]
impl ApiKeysInForce for LiveApiKeys {
    async fn recognize(
        &self,
        presented: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<ApiKeyDetails>>, PortError> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, presented.expose_secret().as_bytes()).as_ref());
        if let Some(key) = self.remembered(&fingerprint) {
            return Ok(Some(key).filter(|key| now < key.expires_at));
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let Some(id) = self.secrets.recognize(presented, now).await? else { return Ok(None) };
        let (key, tenant) = self.load(id).await?;
        let in_force = key.allows_at(now).filter(|_| tenant.is_open()).cloned().map(Arc::new);
        if let Some(key) = &in_force {
            self.remember(fingerprint, key, before);
        }
        Ok(in_force)
    }
}

#[async_trait]
impl LiveView for LiveApiKeys {
    fn follows(&self) -> &'static [&'static str] {
        &[ApiKey::TYPE, Tenant::TYPE]
    }

    async fn load(&self) -> Result<LogPosition, PortError> {
        let horizon = self.reader.horizon().await.map_err(from_sqlx)?;
        self.forget(|_| false);
        Ok(horizon)
    }

    fn apply(&self, events: &[LoggedEvent]) {
        let changed = |id: &str| events.iter().any(|event| event.aggregate_id == id);
        self.forget(|key| !changed(&key.api_key_id.to_string()) && !changed(&key.tenant_id.to_string()));
    }
}
