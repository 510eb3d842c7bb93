//! Tenants' secrets, sealed.

use std::sync::Arc;

use application::PortError;
use application::ports::vault::{SecretPlace, Vault};
use async_trait::async_trait;
use domain::ids::SecretId;
use secrecy::{ExposeSecret, SecretString};

use super::{KeyRing, TenantKeys};
use crate::database::Database;
use crate::error::{from_sqlx, internal, is_key_exchanged};

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

    async fn write(&self, place: SecretPlace, id: SecretId, secret: &SecretString) -> Result<(), PortError> {
        let keys = self.keys.of(place.tenant_id).await?;
        let sealed = seal(&keys, place, id, secret)?;
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

    async fn read(&self, place: SecretPlace, id: SecretId) -> Result<SecretString, PortError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("select sealed from secrets where id = $1 and tenant_id = $2")
            .bind(id.uuid())
            .bind(place.tenant_id.uuid())
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let sealed = sealed.ok_or_else(|| PortError::internal(format!("the secret {id} is gone")))?;
        let plain = self.keys.open(place.tenant_id, &binding(place, id), &sealed).await?;
        std::str::from_utf8(&plain).map(SecretString::from).map_err(internal)
    }
}

#[async_trait]
impl Vault for PgVault {
    async fn store(&self, place: SecretPlace, id: SecretId, secret: &SecretString) -> Result<(), PortError> {
        match self.write(place, id, secret).await {
            Err(error) if is_key_exchanged(&error) => self.write(place, id, secret).await,
            written => written,
        }
    }

    async fn open(&self, place: SecretPlace, id: SecretId) -> Result<SecretString, PortError> {
        match self.read(place, id).await {
            Err(error) if is_key_exchanged(&error) => self.read(place, id).await,
            read => read,
        }
    }
}

/// A secret as its row holds it.
pub(crate) fn seal(
    keys: &TenantKeys,
    place: SecretPlace,
    id: SecretId,
    secret: &SecretString,
) -> Result<Vec<u8>, PortError> {
    keys.seal(&binding(place, id), secret.expose_secret().as_bytes())
}

/// Tenant, integration, field and version: a ciphertext copied anywhere else does not open.
fn binding(place: SecretPlace, id: SecretId) -> String {
    format!("secret|{}|{}|{}|{id}", place.tenant_id, place.kind.name(), place.name.name())
}
