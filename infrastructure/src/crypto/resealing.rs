//! Sealing what a tenant has sealed under another of its keys, beside processes that use it.

use std::collections::HashMap;
use std::sync::Arc;

use application::PortError;
use application::ports::data_keys::DataKeyGenerations;
use async_trait::async_trait;
use domain::ids::TenantId;

use super::key_ring::number;
use super::{KeyRing, TenantKeys};
use crate::database::Database;
use crate::error::{from_sqlx, internal, is_key_exchanged};

/// Ciphertexts of one transaction. A staged one may have half a megabyte.
const BATCH: i64 = 50;

/// A column of ciphertexts.
#[derive(Debug)]
pub struct SealedColumn {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// The column that says which key seals it.
    generation: &'static str,
    /// SQL of what a ciphertext is bound to; the same as those who seal it write.
    binding: &'static str,
}

/// Every column of ciphertexts.
pub const SEALED: [SealedColumn; 6] = [
    SealedColumn {
        table: "secrets",
        column: "sealed",
        generation: "generation",
        binding: "concat_ws('|', 'secret', tenant_id, integration, field, id)",
    },
    SealedColumn {
        table: "staging",
        column: "sealed",
        generation: "generation",
        binding: "concat_ws('|', 'staging', tenant_id, name)",
    },
    SealedColumn {
        table: "mails",
        column: "sealed",
        generation: "generation",
        binding: "concat_ws('|', 'mail', tenant_id, id)",
    },
    SealedColumn {
        table: "one_time_links",
        column: "sealed",
        generation: "generation",
        binding: "concat_ws('|', 'link', tenant_id, kind, encode(token_hash, 'hex'))",
    },
    SealedColumn { table: "second_factors", column: "sealed", generation: "generation", binding: TOTP },
    SealedColumn { table: "second_factors", column: "next_sealed", generation: "next_generation", binding: TOTP },
];

const TOTP: &str = "concat_ws('|', 'totp', tenant_id, user_id)";

/// The tenants' data keys in the database, and what they seal.
pub struct PgDataKeyGenerations {
    database: Database,
    keys: Arc<KeyRing>,
}

/// All of a tenant's keys, by generation.
type Keys = HashMap<u32, Arc<TenantKeys>>;

impl PgDataKeyGenerations {
    /// Those of this database.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys }
    }

    /// Opened before a transaction begins, which may have the only connection.
    async fn opened(&self, tenant: TenantId) -> Result<Keys, PortError> {
        let numbers: Vec<i32> = sqlx::query_scalar("select generation from tenant_keys where tenant_id = $1")
            .bind(tenant.uuid())
            .fetch_all(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let mut opened = Keys::new();
        for number in numbers.into_iter().map(i32::unsigned_abs) {
            opened.insert(number, self.keys.generation(tenant, number).await?);
        }
        Ok(opened)
    }

    /// Rows are locked from being read until they are written, so nothing that others write is overwritten.
    async fn reseal(
        &self,
        place: &SealedColumn,
        tenant: TenantId,
        generation: u32,
        keys: &Keys,
    ) -> Result<u64, PortError> {
        let SealedColumn { table, column, generation: of, binding } = place;
        let mut transaction = self.database.pool().begin().await.map_err(from_sqlx)?;
        let select = format!(
            "select ctid::text, {binding}, {column} from {table} where tenant_id = $1 and {of} <> $2 limit $3 for update"
        );
        let old: Vec<(String, String, Vec<u8>)> = sqlx::query_as(&select)
            .bind(tenant.uuid())
            .bind(number(generation))
            .bind(BATCH)
            .fetch_all(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        let done = u64::try_from(old.len()).map_err(internal)?;
        let (mut rows, mut sealed) = (Vec::new(), Vec::new());
        for (row, binding, ciphertext) in old {
            sealed.push(super::key_ring::reseal(keys, generation, &binding, &ciphertext)?);
            rows.push(row);
        }
        let update = format!(
            "update {table} set {column} = new.sealed from unnest($2::text[], $3::bytea[]) as new (place, sealed)
             where {table}.tenant_id = $1 and {table}.ctid = new.place::tid"
        );
        sqlx::query(&update)
            .bind(tenant.uuid())
            .bind(rows)
            .bind(sealed)
            .execute(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        transaction.commit().await.map_err(from_sqlx)?;
        Ok(done)
    }
}

#[async_trait]
impl DataKeyGenerations for PgDataKeyGenerations {
    async fn newest(&self, tenant: TenantId) -> Result<Option<u32>, PortError> {
        self.keys.newest(tenant).await
    }

    async fn unknown_keks(&self, tenant: TenantId) -> Result<Vec<String>, PortError> {
        self.keys.unknown_keks(tenant).await
    }

    async fn make(&self, tenant: TenantId, generation: u32) -> Result<(), PortError> {
        self.keys.make(tenant, generation).await
    }

    async fn left(&self, tenant: TenantId, generation: u32) -> Result<u64, PortError> {
        let mut left = 0;
        for SealedColumn { table, generation: of, .. } in &SEALED {
            let sql = format!("select count(*) from {table} where tenant_id = $1 and {of} <> $2");
            let counted: i64 = sqlx::query_scalar(&sql)
                .bind(tenant.uuid())
                .bind(number(generation))
                .fetch_one(self.database.pool())
                .await
                .map_err(from_sqlx)?;
            left += counted.unsigned_abs();
        }
        Ok(left)
    }

    async fn reseal_some(&self, tenant: TenantId, generation: u32) -> Result<u64, PortError> {
        let keys = self.opened(tenant).await?;
        for place in &SEALED {
            match self.reseal(place, tenant, generation, &keys).await? {
                0 => {}
                some => return Ok(some),
            }
        }
        Ok(0)
    }

    async fn retire(&self, tenant: TenantId, generation: u32) -> Result<bool, PortError> {
        let retired = sqlx::query("delete from tenant_keys where tenant_id = $1 and generation < $2")
            .bind(tenant.uuid())
            .bind(number(generation))
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx);
        match retired {
            Err(error) if is_key_exchanged(&error) => Ok(false),
            retired => retired.map(|_| true),
        }
    }
}
