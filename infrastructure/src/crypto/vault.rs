//! Tenants' secrets, sealed.

use std::sync::Arc;

use application::PortError;
use application::ports::vault::{SecretPlace, Vault};
use async_trait::async_trait;
use domain::ids::SecretId;
use secrecy::{ExposeSecret, SecretString};

use super::KeyRing;
use crate::database::Database;
use crate::error::{from_sqlx, internal};

/// Sealed secrets in PostgreSQL.
pub struct PgVault {
    database: Database,
    keys: Arc<KeyRing>,
}

impl PgVault {
    /// Secrets in this database, sealed with the tenants' keys.
    pub fn new(database: Database, keys: Arc<KeyRing>) -> Self {
        Self { database, keys }
    }
}

#[async_trait]
impl Vault for PgVault {
    async fn store(&self, place: SecretPlace, id: SecretId, secret: &SecretString) -> Result<(), PortError> {
        let keys = self.keys.of(place.tenant_id).await?;
        let sealed = keys.seal(&binding(place, id), secret.expose_secret().as_bytes())?;
        sqlx::query("insert into secrets (id, tenant_id, integration, field, sealed) values ($1, $2, $3, $4, $5)")
            .bind(id.uuid())
            .bind(place.tenant_id.uuid())
            .bind(place.kind.name())
            .bind(place.name.name())
            .bind(sealed)
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    async fn open(&self, place: SecretPlace, id: SecretId) -> Result<SecretString, PortError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("select sealed from secrets where id = $1 and tenant_id = $2")
            .bind(id.uuid())
            .bind(place.tenant_id.uuid())
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let sealed = sealed.ok_or_else(|| PortError::internal(format!("the secret {id} is gone")))?;
        let plain = self.keys.of(place.tenant_id).await?.open(&binding(place, id), &sealed)?;
        String::from_utf8(plain).map(SecretString::from).map_err(internal)
    }
}

/// Tenant, integration, field and version: a ciphertext copied anywhere else does not open.
fn binding(place: SecretPlace, id: SecretId) -> String {
    format!("secret|{}|{}|{}|{id}", place.tenant_id, place.kind.name(), place.name.name())
}
