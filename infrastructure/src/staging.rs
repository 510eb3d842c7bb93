//! The staging store: sealed rows with a time to live, named by keyed hashes.

use std::sync::Arc;

use application::PortError;
use application::ports::clock::Clock;
use application::ports::staging::Staging;
use async_trait::async_trait;
use chrono::TimeDelta;
use domain::ids::TenantId;
use domain::values::ContentHash;

use crate::crypto::{KeyRing, TenantKeys};
use crate::database::Database;
use crate::error::{from_sqlx, internal, is_key_exchanged};

/// How long staged data is kept: long enough to mend a failed run's settings over a long weekend.
const TIME_TO_LIVE: TimeDelta = TimeDelta::days(7);

/// Staged data in PostgreSQL.
pub struct PgStaging {
    database: Database,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

impl PgStaging {
    /// Staging in this database, sealed with the tenants' keys.
    pub fn new(database: Database, keys: Arc<KeyRing>, clock: Arc<dyn Clock>) -> Self {
        Self { database, keys, clock }
    }

    /// Deletes what has outlived its time.
    pub async fn purge(&self) -> Result<u64, PortError> {
        let purged = sqlx::query("delete from staging where expires_at <= $1")
            .bind(self.clock.now())
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(purged.rows_affected())
    }

    async fn write(&self, tenant: TenantId, keys: &TenantKeys, name: &str, bytes: &[u8]) -> Result<(), PortError> {
        let sealed = keys.seal(&binding(tenant, name), bytes)?;
        sqlx::query(
            "insert into staging (tenant_id, name, sealed, expires_at) values ($1, $2, $3, $4)
             on conflict (tenant_id, name) do update set sealed = excluded.sealed, expires_at = excluded.expires_at",
        )
        .bind(tenant.uuid())
        .bind(name)
        .bind(sealed)
        .bind(self.clock.now() + TIME_TO_LIVE)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    /// Writes bytes under the name that their question, or else they themselves, have by the key that also seals them.
    async fn keep(&self, tenant: TenantId, kind: &str, named_by: &[u8], bytes: &[u8]) -> Result<String, PortError> {
        let keys = self.keys.of(tenant).await?;
        let name = keys.name(kind, named_by);
        self.write(tenant, &keys, &name, bytes).await.map(|()| name)
    }

    async fn kept(&self, tenant: TenantId, kind: &str, named_by: &[u8], bytes: &[u8]) -> Result<String, PortError> {
        match self.keep(tenant, kind, named_by, bytes).await {
            Err(error) if is_key_exchanged(&error) => self.keep(tenant, kind, named_by, bytes).await,
            kept => kept,
        }
    }

    async fn read(&self, tenant: TenantId, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("select sealed from staging where tenant_id = $1 and name = $2 and expires_at > $3")
                .bind(tenant.uuid())
                .bind(name)
                .bind(self.clock.now())
                .fetch_optional(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        let Some(sealed) = sealed else { return Ok(None) };
        let mut plain = self.keys.open(tenant, &binding(tenant, name), &sealed).await?;
        Ok(Some(std::mem::take(&mut *plain)))
    }

    async fn find(&self, tenant: TenantId, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        match self.read(tenant, name).await {
            Err(error) if is_key_exchanged(&error) => self.read(tenant, name).await,
            found => found,
        }
    }
}

#[async_trait]
impl Staging for PgStaging {
    async fn put(&self, tenant: TenantId, bytes: &[u8]) -> Result<ContentHash, PortError> {
        self.kept(tenant, "content", bytes, bytes).await?.parse().map_err(internal)
    }

    async fn get(&self, tenant: TenantId, name: &ContentHash) -> Result<Option<Vec<u8>>, PortError> {
        self.find(tenant, name.as_str()).await
    }

    async fn remember(&self, tenant: TenantId, question: &[u8], answer: &[u8]) -> Result<(), PortError> {
        self.kept(tenant, "answer", question, answer).await.map(drop)
    }

    async fn recall(&self, tenant: TenantId, question: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        let name = self.keys.of(tenant).await?.name("answer", question);
        self.find(tenant, &name).await
    }
}

fn binding(tenant: TenantId, name: &str) -> String {
    format!("staging|{tenant}|{name}")
}
