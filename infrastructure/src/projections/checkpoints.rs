//! How far each projection has come.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use application::PortError;
use application::ports::commands::LogPosition;
use application::ports::read_models::Progress;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use tokio::sync::MutexGuard;
use tokio::time::Instant;

use super::Projection;
use super::shared_reader::FRESH;
use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::position::{of_columns, parameters};
use crate::signals::Signal;

/// How often those who wait look together at checkpoints that other processes move.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How much longer than their patience those who wait are kept by a database that does not answer.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// The checkpoints of the running projections.
#[derive(Clone)]
pub struct Checkpoints {
    database: Database,
    progressed: Signal,
    names: Arc<[&'static str]>,
    known: Arc<Known>,
}

/// What this process knows of the checkpoints: what it moved itself, and what the database said when it was last asked. Of
/// many who wait one asks for all.
#[derive(Default)]
struct Known {
    /// With the moment at which a server told so. Only for as long as [`FRESH`]: one that takes over may know less.
    positions: Mutex<HashMap<String, (LogPosition, Instant)>>,
    /// The slowest of the running projections has moved: most who wait, wait for all of them.
    changed: Signal,
    /// When the database was last asked; whoever holds it asks.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

impl Known {
    /// What the database says is taken over even where it is less: a server that lost its last moments knows less too.
    fn learn(&self, running: &[&str], positions: impl IntoIterator<Item = (String, LogPosition)>) {
        let mut known = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        let slowest = |known: &HashMap<String, (LogPosition, Instant)>| {
            running.iter().map(|name| known.get(*name).map(|(at, _)| *at)).min()
        };
        let before = slowest(&known);
        let now = Instant::now();
        known.extend(positions.into_iter().map(|(name, at)| (name, (at, now))));
        let has_moved = slowest(&known) != before;
        drop(known);
        if has_moved {
            self.changed.notify();
        }
    }

    fn passed(&self, names: &[&str], position: LogPosition) -> bool {
        let known = self.positions.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().all(|name| known.get(*name).is_some_and(|(at, told)| *at >= position && told.elapsed() < FRESH))
    }
}

impl Checkpoints {
    /// The checkpoints of these projections; `progressed` hints that one has moved.
    pub fn new(database: Database, progressed: Signal, projections: &[Arc<dyn Projection>]) -> Self {
        let names = projections.iter().map(|projection| projection.name()).collect();
        Self { database, progressed, names, known: Arc::default() }
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

    /// The projection's checkpoint, where it has one.
    pub(super) async fn find(database: &Database, name: &str) -> Result<Option<LogPosition>, sqlx::Error> {
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

    /// Tells those who wait that this process has moved a checkpoint.
    pub(super) fn moved(&self, name: &str, to: LogPosition) {
        self.known.learn(&self.names, [(name.to_owned(), to)]);
        self.progressed.notify();
    }

    /// Waits until the named projections have passed the position.
    pub(crate) async fn wait(
        &self,
        names: &[&str],
        position: LogPosition,
        patience: Duration,
    ) -> Result<bool, PortError> {
        let deadline = Instant::now() + patience;
        let mut changed = self.known.changed.subscribe();
        while !self.known.passed(names, position) {
            let left = deadline.saturating_duration_since(Instant::now());
            // Somebody who looks just now looks for all.
            if let Ok(looked) = self.known.looked.try_lock()
                && (left.is_zero() || looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY))
            {
                let look = tokio::time::timeout_at(deadline + LAST_LOOK, self.look(looked));
                let Ok(known) = look.await else { return Ok(false) };
                known?;
                if self.known.passed(names, position) {
                    break;
                }
            }
            if left.is_zero() {
                return Ok(false);
            }
            changed.wait(left.min(LOOK_EVERY)).await;
        }
        Ok(true)
    }

    /// Asks the database where the checkpoints are.
    async fn look(&self, mut looked: MutexGuard<'_, Option<Instant>>) -> Result<(), PortError> {
        *looked = Some(Instant::now());
        let rows: Vec<(String, i32, i64, i64)> =
            sqlx::query_as("select name, generation, tx::text::bigint, position from projection_checkpoints")
                .fetch_all(self.database.pool())
                .await
                .map_err(from_sqlx)?;
        let position = |(name, generation, tx, position)| (name, of_columns((generation, tx, position)));
        self.known.learn(&self.names, rows.into_iter().map(position));
        // Also where nothing has moved: what was known may have been too old.
        self.known.changed.notify();
        Ok(())
    }
}

#[async_trait]
impl Progress for Checkpoints {
    async fn passed(&self, position: LogPosition, patience: Duration) -> Result<bool, PortError> {
        self.wait(&self.names, position, patience).await
    }

    async fn holds(&self, position: LogPosition) -> Result<bool, PortError> {
        let sql =
            "select exists (select from events where (generation, events.tx, position) = ($1, $2::text::xid8, $3))";
        sqlx::query_scalar(sql)
            .bind(position.generation)
            .bind(position.tx.to_string())
            .bind(position.position)
            .fetch_one(self.database.pool())
            .await
            .map_err(from_sqlx)
    }
}
