//! How far each projection has come.

use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::ports::commands::LogPosition;
use application::ports::read_models::Progress;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::Projection;
use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::position::{of_columns, parameters};
use crate::signals::Signal;

/// How often one who waits looks without a hint.
const POLL: Duration = Duration::from_millis(100);

/// The checkpoints of the running projections.
#[derive(Clone)]
pub struct Checkpoints {
    database: Database,
    progressed: Signal,
    names: Arc<[&'static str]>,
}

impl Checkpoints {
    /// The checkpoints of these projections; `progressed` hints that one has moved.
    pub fn new(database: Database, progressed: Signal, projections: &[Arc<dyn Projection>]) -> Self {
        let names = projections.iter().map(|projection| projection.name()).collect();
        Self { database, progressed, names }
    }

    /// The projection's checkpoint; the beginning of the log for a new projection.
    pub(super) async fn load(database: &Database, name: &str) -> Result<LogPosition, sqlx::Error> {
        if let Some(position) = Self::find(database, name).await? {
            return Ok(position);
        }
        // Another process may be adding it at this moment, so it is read again by a statement of its own.
        sqlx::query("insert into projection_checkpoints (name) values ($1) on conflict do nothing")
            .bind(name)
            .execute(database.pool())
            .await?;
        Self::find(database, name).await?.ok_or(sqlx::Error::RowNotFound)
    }

    async fn find(database: &Database, name: &str) -> Result<Option<LogPosition>, sqlx::Error> {
        let sql = "select generation, tx::text::bigint, position from projection_checkpoints where name = $1";
        let found = sqlx::query_as(sql).bind(name).fetch_optional(database.pool()).await?;
        Ok(found.map(of_columns))
    }

    /// The checkpoint, locked until the transaction ends: nobody can write the projection's tables meanwhile.
    pub(super) async fn lock(transaction: &DatabaseTransaction, name: &str) -> Result<LogPosition, DbErr> {
        let sql = "select generation, tx::text::bigint as tx, position
                   from projection_checkpoints where name = $1 for update";
        let row = transaction
            .query_one(Statement::from_sql_and_values(DbBackend::Postgres, sql, [name.into()]))
            .await?
            .ok_or_else(|| DbErr::RecordNotFound(format!("the checkpoint {name}")))?;
        Ok(of_columns((row.try_get("", "generation")?, row.try_get("", "tx")?, row.try_get("", "position")?)))
    }

    /// Moves the checkpoint, if it still stands where it was read. Within a transaction the row stays locked until it ends.
    pub(super) async fn advance(
        connection: &impl ConnectionTrait,
        name: &str,
        from: LogPosition,
        to: LogPosition,
    ) -> Result<bool, DbErr> {
        let moved = connection
            .execute(Statement::from_sql_and_values(
                DbBackend::Postgres,
                "update projection_checkpoints
                 set generation = $5, tx = $6::text::xid8, position = $7, updated_at = clock_timestamp()
                 where name = $1 and generation = $2 and tx = $3::text::xid8 and position = $4",
                std::iter::once(name.into()).chain(parameters(from)).chain(parameters(to)),
            ))
            .await?;
        Ok(moved.rows_affected() == 1)
    }

    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn moved(&self) {
        self.progressed.notify();
    }

    /// Waits until the named projections have passed the position.
    pub(crate) async fn wait(
        &self,
        names: &[&str],
        position: LogPosition,
        patience: Duration,
    ) -> Result<bool, PortError> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut progressed = self.progressed.subscribe();
        loop {
            if self.all_passed(names, position).await.map_err(from_sqlx)? {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            progressed.wait(left.min(POLL)).await;
        }
    }

    async fn all_passed(&self, names: &[&str], position: LogPosition) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "select count(*) = cardinality($4::text[])
             from projection_checkpoints
             where name = any($4) and (generation, tx, position) >= ($1, $2::text::xid8, $3)",
        )
        .bind(position.generation)
        .bind(position.tx.to_string())
        .bind(position.position)
        .bind(names)
        .fetch_one(self.database.pool())
        .await
    }
}

#[async_trait]
impl Progress for Checkpoints {
    async fn passed(&self, position: LogPosition, patience: Duration) -> Result<bool, PortError> {
        self.wait(&self.names, position, patience).await
    }
}
