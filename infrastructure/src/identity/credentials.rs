//! Password hashes, in a table of their own.

use application::PortError;
use application::ports::identity::{Credentials, PasswordHash};
use async_trait::async_trait;
use domain::ids::{SessionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

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
    async fn replace(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), PortError> {
        sqlx::query(
            "update credentials set password_hash = $3, set_at = clock_timestamp()
             where user_id = $1 and password_hash = $2",
        )
        .bind(user.uuid())
        .bind(old.0.expose_secret())
        .bind(new.0.expose_secret())
        .execute(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(())
    }

    async fn change(&self, user: UserId, new: PasswordHash, keep: SessionId) -> Result<Vec<SessionId>, PortError> {
        let others: Vec<Uuid> = sqlx::query_scalar(
            "with changed as (
                insert into credentials (user_id, password_hash) values ($1, $2)
                on conflict (user_id) do update
                   set password_hash = excluded.password_hash, set_at = clock_timestamp()
             ), forgotten as (
                delete from refresh_tokens where user_id = $1 and session_id <> $3 returning session_id
             )
             select distinct session_id from forgotten",
        )
        .bind(user.uuid())
        .bind(new.0.expose_secret())
        .bind(keep.uuid())
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(others.into_iter().map(SessionId::from).collect())
    }
}
