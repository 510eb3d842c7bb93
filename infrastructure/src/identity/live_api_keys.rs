//! Which API keys are in force, in the memory of this process.
//!
//! A key that was recognized is remembered under the SHA-256 of what was shown, for as long as its use need not be noted
//! again, and forgotten when an event changes the key or its company; so a revocation counts a look of the follower later.
//! What was shown and is no key in force is remembered too, so that a program which keeps trying one costs no question each
//! time: for some seconds, and until any event of a key or a company, which may have made it one.
//! Where this process has lost sight of the log, nothing is taken from memory.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

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
use crate::followed_cache::{FollowedCache, Sight};
use crate::follower::{Freshness, LiveView};

/// Keys that are remembered at most; the memory of one is some hundred bytes.
const MOST_KEYS: usize = 20_000;

/// Texts that are no keys and are remembered at most, apart from the keys: whoever makes texts up drives out no key.
const MOST_UNKNOWN: usize = 10_000;

/// How long a text that is no key is remembered.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);

/// A process that has not seen the end of the log for so long asks the database about every key.
const FRESH: Duration = Duration::from_secs(1);

/// SHA-256 of a whole key.
type Fingerprint = [u8; 32];

/// The keys in force, as a view that follows the log.
pub struct LiveApiKeys {
    database: Database,
    reader: LogReader,
    secrets: Arc<PgApiKeySecrets>,
    known: FollowedCache<Fingerprint, Arc<ApiKeyDetails>>,
    unknown: FollowedCache<Fingerprint, ()>,
}

impl LiveApiKeys {
    /// Over this database. It remembers nothing until it is followed.
    pub fn new(database: &Database, secrets: Arc<PgApiKeySecrets>) -> Self {
        Self {
            database: database.clone(),
            reader: LogReader::new(database.clone()),
            secrets,
            known: FollowedCache::new(MOST_KEYS, USE_IS_NOTED_EVERY),
            unknown: FollowedCache::new(MOST_UNKNOWN, UNKNOWN_FOR),
        }
    }

    /// Says where to ask how current the view is. The first one stays.
    pub fn follow(&self, freshness: Freshness) {
        self.known.follow(freshness);
    }

    /// Asks the database, and the log.
    async fn look(&self, presented: &SecretString, now: DateTime<Utc>) -> Result<Option<ApiKeyDetails>, PortError> {
        let Some(id) = self.secrets.recognize(presented, now).await? else { return Ok(None) };
        let (key, tenant) = self.load(id).await?;
        Ok(key.allows_at(now).filter(|_| tenant.is_open()).cloned())
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
        if self.known.sight(FRESH) == Sight::Clear {
            if let Some(key) = self.known.get(&fingerprint) {
                return Ok(Some(key).filter(|key| now < key.expires_at));
            }
            if self.unknown.get(&fingerprint).is_some() {
                return Ok(None);
            }
        }
        let (before, before_unknown) = (self.known.before_look(), self.unknown.before_look());
        let in_force = self.look(presented, now).await?.map(Arc::new);
        match &in_force {
            Some(key) => self.known.keep(fingerprint, Arc::clone(key), before),
            None => self.unknown.keep(fingerprint, (), before_unknown),
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
        self.known.forget_all();
        self.unknown.forget_all();
        Ok(horizon)
    }

    fn apply(&self, events: &[LoggedEvent]) {
        let changed: HashSet<&str> = events.iter().map(|event| event.aggregate_id.as_str()).collect();
        let stands = |id: String| !changed.contains(id.as_str());
        self.known.forget_unless(|key| stands(key.api_key_id.to_string()) && stands(key.tenant_id.to_string()));
        self.unknown.forget_all();
    }
}
