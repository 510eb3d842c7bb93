//! Wrapping data keys anew, beside processes that use them.

use std::sync::Arc;

use application::PortError;
use application::ports::data_keys::{DataKeys, Used, Wrapping};
use async_trait::async_trait;
use domain::ids::TenantId;
use uuid::Uuid;

use super::kek::Keks;
use crate::database::Database;
use crate::error::{from_sqlx, internal};

/// Data keys of one transaction.
const BATCH: i64 = 100;

/// The data keys in the database.
pub struct PgDataKeys {
    database: Database,
    keks: Arc<Keks>,
}

impl PgDataKeys {
    /// Data keys in this database, to be wrapped by the current one of `keks`.
    pub fn new(database: Database, keks: Arc<Keks>) -> Self {
        Self { database, keks }
    }
}

/// The names of the key-encryption keys that wrap data keys in this database, and how many each.
///
/// # Errors
/// Those of the database.
pub async fn used_keks(database: &Database) -> Result<Vec<(String, u64)>, PortError> {
    let counts: Vec<(String, i64)> =
        sqlx::query_as("select kek_id, count(*) from tenant_keys group by kek_id order by kek_id")
            .fetch_all(database.pool())
            .await
            .map_err(from_sqlx)?;
    Ok(counts.into_iter().map(|(kek_id, count)| (kek_id, count.cast_unsigned())).collect())
}

#[async_trait]
impl DataKeys for PgDataKeys {
    async fn wrapping(&self) -> Result<Wrapping, PortError> {
        let used = used_keks(&self.database).await?.into_iter().map(|(kek_id, data_keys)| {
            let is_known = self.keks.holds(&kek_id);
            Used { kek_id, data_keys, is_known }
        });
        Ok(Wrapping { current: self.keks.current().to_owned(), used: used.collect() })
    }

    async fn rewrap_some(&self) -> Result<u64, PortError> {
        let mut transaction = self.database.pool().begin().await.map_err(from_sqlx)?;
        let old: Vec<(Uuid, i32, String, Vec<u8>)> = sqlx::query_as(
            "select tenant_id, generation, kek_id, wrapped from tenant_keys where kek_id <> $1
             order by tenant_id, generation limit $2 for no key update",
        )
        .bind(self.keks.current())
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
        let mut new: (Vec<Uuid>, Vec<i32>, Vec<Vec<u8>>) = (Vec::new(), Vec::new(), Vec::new());
        for (tenant, generation, kek_id, wrapped) in &old {
            let (tenant_id, number) = (TenantId::from(*tenant), generation.unsigned_abs());
            let data_key = self.keks.unwrap(tenant_id, number, kek_id, wrapped)?;
            new.0.push(*tenant);
            new.1.push(*generation);
            new.2.push(self.keks.wrap(tenant_id, number, self.keks.current(), &data_key)?);
        }
        sqlx::query(
            "update tenant_keys set kek_id = $1, wrapped = new.wrapped
             from unnest($2::uuid[], $3::integer[], $4::bytea[]) as new (tenant_id, generation, wrapped)
             where tenant_keys.tenant_id = new.tenant_id and tenant_keys.generation = new.generation",
        )
        .bind(self.keks.current())
        .bind(new.0)
        .bind(new.1)
        .bind(new.2)
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
        transaction.commit().await.map_err(from_sqlx)?;
        u64::try_from(old.len()).map_err(internal)
    }
}
