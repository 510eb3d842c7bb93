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
use crate::error::{from_sqlx, internal};

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

    async fn read(&self, tenant: TenantId, keys: &TenantKeys, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let sealed: Option<Vec<u8>> =
            sqlx::query_scalar("select sealed from staging where tenant_id = $1 and name = $2 and expires_at > $3")
                .bind(tenant.uuid())
                .bind(name)
                .bind(self.clock.now())
                .fetch_optional(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        sealed.map(|sealed| keys.open(&binding(tenant, name), &sealed)).transpose()
    }
}

#[async_trait]
impl Staging for PgStaging {
    async fn put(&self, tenant: TenantId, bytes: &[u8]) -> Result<ContentHash, PortError> {
        let keys = self.keys.of(tenant).await?;
        let name = keys.name("content", bytes);
        self.write(tenant, &keys, &name, bytes).await?;
        name.parse().map_err(internal)
    }

    async fn get(&self, tenant: TenantId, name: &ContentHash) -> Result<Option<Vec<u8>>, PortError> {
        let keys = self.keys.of(tenant).await?;
        self.read(tenant, &keys, name.as_str()).await
    }

    async fn remember(&self, tenant: TenantId, question: &[u8], answer: &[u8]) -> Result<(), PortError> {
        let keys = self.keys.of(tenant).await?;
        self.write(tenant, &keys, &keys.name("answer", question), answer).await
    }

    async fn recall(&self, tenant: TenantId, question: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        let keys = self.keys.of(tenant).await?;
        self.read(tenant, &keys, &keys.name("answer", question)).await
    }
}

fn binding(tenant: TenantId, name: &str) -> String {
    format!("staging|{tenant}|{name}")
}
