//! Password hashes, in a table of their own.

use std::collections::BTreeSet;

use application::PortError;
use application::ports::identity::{Credentials, PasswordHash};
use async_trait::async_trait;
use domain::ids::{SessionId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::database::Database;
use crate::error::{from_orm, from_sqlx};

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
        let set = sqlx::query(SET).bind(user.uuid()).bind(hash.0.expose_secret());
        set.execute(self.database.pool()).await.map_err(from_sqlx)?;
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

    async fn forget(&self, user: UserId) -> Result<(), PortError> {
        let forgotten = sqlx::query("delete from credentials where user_id = $1").bind(user.uuid());
        forgotten.execute(self.database.pool()).await.map(|_| ()).map_err(from_sqlx)
    }

    async fn replace(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), PortError> {
        let replaced = sqlx::query(REPLACE).bind(user.uuid());
        let replaced = replaced.bind(old.0.expose_secret()).bind(new.0.expose_secret());
        replaced.execute(self.database.pool()).await.map(|_| ()).map_err(from_sqlx)
    }

    async fn change(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
        keep: SessionId,
    ) -> Result<Option<Vec<SessionId>>, PortError> {
        let transaction = self.database.begin().await.map_err(from_orm)?;
        let ended = async {
            let hashes: [Value; 3] = [user.uuid().into(), old.0.expose_secret().into(), new.0.expose_secret().into()];
            if transaction.execute(statement(REPLACE, hashes)).await?.rows_affected() == 0 {
                return Ok(None);
            }
            forget_sessions(&transaction, user.uuid(), Some(keep)).await.map(Some)
        };
        let ended = ended.await.map_err(from_orm)?;
        transaction.commit().await.map_err(from_orm)?;
        Ok(ended)
    }
}

/// Keeps the hash of a new password in a transaction, whatever was there, and ends the user's sessions as
/// [`forget_sessions`] does.
pub(super) async fn set_and_forget(
    transaction: &DatabaseTransaction,
    user: Uuid,
    new: &PasswordHash,
) -> Result<Vec<SessionId>, DbErr> {
    transaction.execute(statement(SET, [user.into(), new.0.expose_secret().into()])).await?;
    forget_sessions(transaction, user, None).await
}

/// Forgets the refresh tokens of all sessions of the user but this one, in a transaction, and answers with those sessions.
/// Links to confirm another address end too: whoever asked for them knew the password of before.
///
/// Whoever begins a session or changes a token meanwhile holds a row that this waits for, and a statement does not see what
/// was written while it waited. So forgetting is a statement of its own, and is repeated until there is nothing left: each
/// sees what the one before had waited for.
async fn forget_sessions(
    transaction: &DatabaseTransaction,
    user: Uuid,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, DbErr> {
    transaction.execute(statement(END_LINKS, [user.into()])).await?;
    let mut ended = BTreeSet::new();
    loop {
        let values = [user.into(), keep.map(SessionId::uuid).into()];
        let forgotten = transaction.query_all(statement(FORGET, values)).await?;
        if forgotten.is_empty() {
            return Ok(ended.into_iter().map(SessionId::from).collect());
        }
        for row in forgotten {
            ended.insert(row.try_get::<Uuid>("", "session_id")?);
        }
    }
}

const SET: &str = "
insert into credentials (user_id, password_hash) values ($1, $2)
on conflict (user_id) do update set password_hash = excluded.password_hash, set_at = clock_timestamp()";

const REPLACE: &str = "
update credentials set password_hash = $3, set_at = clock_timestamp() where user_id = $1 and password_hash = $2";

const END_LINKS: &str = "
update one_time_links set used_at = clock_timestamp()
where subject_id = $1 and kind = 'email_change' and used_at is null";

const FORGET: &str = "
delete from refresh_tokens where user_id = $1 and session_id is distinct from $2::uuid returning session_id";

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
