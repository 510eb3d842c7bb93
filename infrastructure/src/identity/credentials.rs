//! Password hashes, in a table of their own.

use application::PortError;
use application::ports::identity::{Credentials, PasswordHash};
use async_trait::async_trait;
use domain::ids::UserId;
use secrecy::{ExposeSecret, SecretString};

use crate::database::Database;
use crate::error::from_sqlx;

/// Credentials in PostgreSQL.
pub struct PgCredentials {
    database: Database,
}

impl PgCredentials {
    /// Credentials in this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Credentials for PgCredentials {
    async fn set(&self, user: UserId, hash: PasswordHash) -> Result<(), PortError> {
        sqlx::query(
            "insert into credentials (user_id, password_hash) values ($1, $2)
             on conflict (user_id) do update
                set password_hash = excluded.password_hash, set_at = clock_timestamp()",
        )
        .bind(user.uuid())
        .bind(hash.0.expose_secret())
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    async fn get(&self, user: UserId) -> Result<Option<PasswordHash>, PortError> {
        let hash: Option<String> = sqlx::query_scalar("select password_hash from credentials where user_id = $1")
            .bind(user.uuid())
            .fetch_optional(self.database.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(hash.map(|hash| PasswordHash(SecretString::from(hash))))
    }
}
