//! Putting the next generation in the live one's place.

use std::time::Duration;

use domain::rebuild::RebuildScope;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, Statement};
use tokio::time::Instant;

use super::scope::events_of;
use super::{PAUSE, Rebuild, RebuildError, TRIES};
use crate::projections::{Checkpoints, lease, parking};

/// How long the answer to a commit is waited for, and then the database asked what became of it.
const ASK_FOR: Duration = Duration::from_secs(30);

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Committed,
    RolledBack,
    /// The database could not be asked.
    Unknown,
}

impl Rebuild<'_> {
    /// Puts the next generation in the live one's place, in one transaction. Of all rows the live tables are kept as the
    /// previous generation; of a scope the replaced rows are not.
    ///
    /// # Errors
    /// [`RebuildError::Unanswered`] where it is not known which rows are live. After every other error the live rows are as
    /// they were.
    pub async fn exchange(&self) -> Result<(), RebuildError> {
        for _ in 0..TRIES {
            self.meet().await?;
            let transaction = self.database.begin_as_owner().await?;
            match self.exchange_in(&transaction).await {
                Ok(number) => return self.commit(transaction, &number).await,
                Err(error) => {
                    if !error.is_held_by_others() {
                        return Err(error);
                    }
                    transaction.rollback().await?;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(RebuildError::TablesInUse { projection: self.projection.name() })
    }

    /// Does all of it but the commit; the transaction's number.
    async fn exchange_in(&self, transaction: &DatabaseTransaction) -> Result<String, RebuildError> {
        self.meet_live(transaction).await?;
        let tables = self.projection.tables();
        match self.scope {
            RebuildScope::Everyone => self.generation.exchange(transaction, tables).await?,
            RebuildScope::Tenant { .. } | RebuildScope::Aggregate { .. } => {
                let replaced = self.generation.replace(transaction, tables).await;
                replaced.map_err(|error| RebuildError::of_replacement(self.projection.name(), error))?;
            }
        }
        let condition = events_of(self.scope, self.projection.follows());
        parking::forget(transaction, self.projection.name(), &condition).await?;
        if parking::rename(transaction, &self.checkpoint, self.projection.name()).await? {
            lease::take_away(transaction, self.projection.name()).await?;
        }
        self.forget_checkpoint(transaction).await?;
        let sql = "select pg_current_xact_id()::text as number";
        let row = transaction.query_one(Statement::from_string(DbBackend::Postgres, sql)).await?;
        Ok(row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get("", "number")?)
    }

    /// Commits. Where that ends without an answer, the server knows what became of the transaction.
    async fn commit(&self, transaction: DatabaseTransaction, number: &str) -> Result<(), RebuildError> {
        let commit = tokio::time::timeout(ASK_FOR, transaction.commit()).await;
        let silence = |_| Err(DbErr::Conn(RuntimeErr::Internal("the commit was not answered in time".into())));
        let Err(error) = commit.unwrap_or_else(silence) else { return Ok(()) };
        match self.fate(number).await {
            Fate::Committed => Ok(()),
            Fate::RolledBack => Err(error.into()),
            Fate::Unknown => Err(RebuildError::Unanswered { projection: self.projection.name(), source: error }),
        }
    }

    /// Whether an exchange that the server says was committed is there. One that took over meanwhile may have given its number to
    /// another transaction, and then the next generation still has its checkpoint; or somebody has begun another one.
    async fn fate_by_its_work(&self) -> Fate {
        match Checkpoints::find(&self.database, &self.checkpoint).await {
            Ok(None) => Fate::Committed,
            Ok(Some(_)) | Err(_) => Fate::Unknown,
        }
    }

    /// What became of the transaction with this number.
    async fn fate(&self, number: &str) -> Fate {
        let deadline = Instant::now() + ASK_FOR;
        while Instant::now() < deadline {
            let status = sqlx::query_scalar::<_, Option<String>>("select pg_xact_status($1::text::xid8)")
                .bind(number)
                .fetch_one(self.database.pool());
            match tokio::time::timeout_at(deadline, status).await {
                Ok(Ok(Some(status))) if status == "committed" => return self.fate_by_its_work().await,
                Ok(Ok(Some(status))) if status == "aborted" => return Fate::RolledBack,
                // So old that the server has forgotten it.
                Ok(Ok(None)) => return Fate::Unknown,
                // Its session has not noticed yet that nobody listens, or the server cannot be reached yet.
                Ok(Ok(Some(_)) | Err(_)) => tokio::time::sleep(PAUSE).await,
                Err(_) => break,
            }
        }
        Fate::Unknown
    }
}
