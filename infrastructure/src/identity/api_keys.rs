//! The secrets of API keys: `syn_`, the key's id, `_`, and 256 random bits.

use std::collections::HashMap;
use std::time::Duration;

use application::PortError;
use application::ports::api_keys::ApiKeySecrets;
use async_trait::async_trait;
use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::ids::{ApiKeyId, TenantId};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::database::Database;
use crate::error::from_sqlx;

/// What every key begins with, so that people and scanners of leaked secrets know one when they see it.
const MARK: &str = "syn";

/// How exact the time of the last use is: a key in steady use writes once in this time.
pub(super) const USE_IS_NOTED_EVERY: Duration = Duration::from_mins(1);

/// Secrets of API keys in PostgreSQL.
pub struct PgApiKeySecrets {
    database: Database,
}

impl PgApiKeySecrets {
    /// Secrets in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Deletes secrets that open nothing: of keys that were never recorded, because whoever made them was cut off before, and
    /// of keys that were revoked by someone who was cut off after. The young ones may still be on their way.
    pub async fn purge(&self) -> Result<u64, PortError> {
        let purged = sqlx::query(
            "delete from api_key_secrets s
              where created_at < clock_timestamp() - interval '1 hour'
                and (not exists (select from events e
                                  where e.aggregate_type = 'api_key' and e.aggregate_id = s.api_key_id::text)
                     or exists (select from events e
                                 where e.aggregate_type = 'api_key' and e.aggregate_id = s.api_key_id::text
                                   and e.event_type = 'ApiKeyRevoked'))",
        );
        Ok(purged.execute(self.database.pool()).await.map_err(from_sqlx)?.rows_affected())
    }

    async fn note_use(&self, key: ApiKeyId, now: DateTime<Utc>) -> Result<(), PortError> {
        sqlx::query(
            "update api_key_secrets set last_used_at = $2
              where api_key_id = $1 and (last_used_at is null or last_used_at <= $3)",
        )
        .bind(key.uuid())
        .bind(now)
        .bind(now - USE_IS_NOTED_EVERY)
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }
}

#[async_trait]
impl ApiKeySecrets for PgApiKeySecrets {
    async fn issue(&self, tenant: TenantId, key: ApiKeyId) -> Result<SecretString, PortError> {
        let mut secret = Zeroizing::new([0; 32]);
        rand::fill(secret.as_mut_slice()).map_err(|_| PortError::internal("the machine gives no random bits"))?;
        sqlx::query("insert into api_key_secrets (api_key_id, tenant_id, secret_hash) values ($1, $2, $3)")
            .bind(key.uuid())
            .bind(tenant.uuid())
            .bind(hash(secret.as_slice()).as_ref())
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
        Ok(SecretString::from(format!("{MARK}_{}_{}", key.uuid().simple(), secret.as_str())))
    }

    async fn recognize(&self, presented: &SecretString, now: DateTime<Utc>) -> Result<Option<ApiKeyId>, PortError> {
        let Some((key, secret)) = parts(presented.expose_secret()) else { return Ok(None) };
        let known: Option<(Vec<u8>, Option<DateTime<Utc>>)> =
            sqlx::query_as("select secret_hash, last_used_at from api_key_secrets where api_key_id = $1")
                .bind(key.uuid())
                .fetch_optional(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        let Some((known, last_used)) = known else { return Ok(None) };
        if constant_time::verify_slices_are_equal(&known, hash(&secret).as_ref()).is_err() {
            return Ok(None);
        }
        if last_used.is_none_or(|last| last <= now - USE_IS_NOTED_EVERY) {
            self.note_use(key, now).await?;
        }
        Ok(Some(key))
    }

    async fn last_used(
        &self,
        tenant: TenantId,
        keys: &[ApiKeyId],
    ) -> Result<HashMap<ApiKeyId, DateTime<Utc>>, PortError> {
        let used: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
            "select api_key_id, last_used_at from api_key_secrets
              where tenant_id = $1 and api_key_id = any($2) and last_used_at is not null",
        )
        .bind(tenant.uuid())
        .bind(keys.iter().map(|key| key.uuid()).collect::<Vec<_>>())
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(used.into_iter().map(|(key, at)| (key.into(), at)).collect())
    }

    async fn forget(&self, tenant: TenantId, key: ApiKeyId) -> Result<(), PortError> {
        sqlx::query("delete from api_key_secrets where tenant_id = $1 and api_key_id = $2")
            .bind(tenant.uuid())
            .bind(key.uuid())
            .execute(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }
}

/// The id and the secret of a key; none where the text is no key.
fn parts(text: &str) -> Option<(ApiKeyId, Zeroizing<Vec<u8>>)> {
    let (id, secret) = text.strip_prefix(MARK)?.strip_prefix('_')?.split_once('_')?;
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(secret).ok()?);
    let simple = id.len() == 32 && secret.len() == 32;
    Uuid::try_parse(id).ok().filter(|_| simple).map(|id| (ApiKeyId::from(id), secret))
}

fn hash(secret: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_nothing_else_is() {
        let id = "0197b1c05f6e7c3a9d552f6c1a7e4b10";
        let secret = URL_SAFE_NO_PAD.encode([0xff; 32]);
        let (key, bytes) = parts(&format!("syn_{id}_{secret}")).unwrap();
        assert_eq!((key.uuid().simple().to_string().as_str(), bytes.as_slice()), (id, [0xff; 32].as_slice()));
        assert!(secret.contains('_'), "a secret may hold what parts are divided by");
        for bad in ["", "syn", "syn__", &format!("syn_{id}_"), &format!("syn_{id}_AAAA"), &format!("SYN_{id}_{secret}")]
        {
            assert!(parts(bad).is_none(), "{bad}");
        }
    }
}
