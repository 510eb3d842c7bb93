//! Building a projection's tables anew beside the live ones, comparing the two, and exchanging them.
//!
//! The next generation lives in a schema of its own. While it is built, the transaction's search path names that
//! schema first, so the projection's own code writes it without knowing. Reads never see it before the exchange, which
//! is one transaction: the live tables move to the schema of the previous generation, the next ones take their place.
//! The projection's checkpoint row is locked during the exchange, so that no process writes in between.
//!
//! Every batch is one transaction with its own checkpoint. A rebuild that was cut off goes on where it was, if the same
//! program goes on with it. Before every write the next generation's tables must be there: PostgreSQL passes over a
//! schema of the search path that does not exist, and the names would mean the live tables.
//!
//! Whatever has a transaction number holds all readers of the log back, so those transactions are short; only the
//! making of indexes is as long as the tables are large.

mod compare;
mod error;
mod generation;

use std::time::Duration;

use application::ports::commands::LogPosition;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, Statement, TransactionTrait,
};

pub use compare::{Difference, TenantDigest};
pub use error::RebuildError;
use generation::Generation;

use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::position::{of_columns, parameters};
use crate::event_store::{LogReader, LoggedEvent};

/// Events of one transaction where rows are written one by one.
const BATCH: i64 = 2_000;

/// Events of one transaction where the database writes the rows itself.
const SET_BATCH: i64 = 10_000;

/// How often the live projection is met, or its tables asked for, before something else is done.
const TRIES: u32 = 10;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Events that the next generation has seen since this start.
    pub done: u64,
    /// Events that it had to see when it began.
    pub total: u64,
    /// True where it goes on with what an earlier start has built.
    pub resumed: bool,
}

/// What a finished rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The digests of every tenant, per table.
    pub digests: Vec<TenantDigest>,
    /// The rows that differ, at most a hundred of each table.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// True where both generations say the same.
    pub fn is_equal(&self) -> bool {
        self.digests.iter().all(TenantDigest::is_equal)
    }
}

/// Rebuilds one projection.
pub struct Rebuild<'a> {
    database: Database,
    reader: LogReader,
    projection: &'a dyn Projection,
    generation: Generation,
    checkpoint: String,
    batch: i64,
}

impl<'a> Rebuild<'a> {
    /// A rebuild of the projection, new or cut off earlier.
    pub async fn of(database: &Database, projection: &'a dyn Projection) -> Result<Self, ProjectionError> {
        Ok(Self {
            database: database.clone(),
            reader: LogReader::new(database.clone()),
            generation: Generation::of(&database.orm(), projection.name()).await?,
            checkpoint: format!("{}@next", projection.name()),
            batch: if projection.set_based().is_some() { SET_BATCH } else { BATCH },
            projection,
        })
    }

    /// The same with another number of events in one transaction.
    #[must_use]
    pub fn in_batches_of(self, events: i64) -> Self {
        Self { batch: events, ..self }
    }

    /// Builds the next generation up to where the log is now. Calling it again goes on from there, unless the program or
    /// the tables' form has changed since, or a part of the next generation is missing: then it begins anew.
    pub async fn build(&self, mut show: impl FnMut(RebuildProgress)) -> Result<(), RebuildError> {
        let (mut from, resumed) = self.prepare().await?;
        if self.projection.set_based().is_none() {
            // Rows that are written one by one are found again by their keys.
            self.generation.index_next(&self.database.orm(), self.projection.tables()).await?;
        }
        let total = self.behind(from).await?;
        let mut done = 0;
        let mut show = |done: u64| show(RebuildProgress { done, total: total.max(done), resumed });
        show(done);
        // The second round is for what was recorded while the indexes were made.
        for _ in 0..2 {
            while let Some((to, events)) = self.step(from).await? {
                from = to;
                done += events;
                show(done);
            }
            self.generation.index_next(&self.database.orm(), self.projection.tables()).await?;
        }
        Ok(())
    }

    /// Compares the next generation with the live tables, both brought to the same position.
    pub async fn compare(&self) -> Result<Comparison, RebuildError> {
        for _ in 0..TRIES {
            self.meet().await?;
            let (isolation, access) = (IsolationLevel::RepeatableRead, AccessMode::ReadOnly);
            let snapshot = self.database.orm().begin_with_config(Some(isolation), Some(access)).await?;
            let comparison =
                if self.are_together(&snapshot).await? { Some(self.compare_in(&snapshot).await?) } else { None };
            snapshot.rollback().await?;
            if let Some(comparison) = comparison {
                return Ok(comparison);
            }
        }
        // The live projection is never caught standing still, so this once it has to.
        let locked = self.database.orm().begin().await?;
        self.meet_live(&locked).await?;
        let comparison = self.compare_in(&locked).await?;
        locked.commit().await?;
        Ok(comparison)
    }

    /// Puts the next generation in the live one's place, in one transaction, and keeps that one as the previous.
    pub async fn exchange(&self) -> Result<(), RebuildError> {
        for _ in 0..TRIES {
            self.meet().await?;
            let transaction = self.database.orm().begin().await?;
            match self.exchange_in(&transaction).await {
                Ok(()) => return Ok(transaction.commit().await?),
                Err(error) => {
                    transaction.rollback().await?;
                    if !error.is_held_by_others() {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(RebuildError::TablesInUse { projection: self.projection.name() })
    }

    /// Gives the next generation up.
    pub async fn abandon(&self) -> Result<(), RebuildError> {
        let transaction = self.database.orm().begin().await?;
        self.forget_checkpoint(&transaction).await?;
        self.generation.drop_next(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops the previous generation; false where there is none.
    pub async fn drop_previous(&self) -> Result<bool, RebuildError> {
        let connection = self.database.orm();
        let there = self.generation.has_previous(&connection).await?;
        if there {
            self.generation.drop_previous(&connection).await?;
        }
        Ok(there)
    }

    /// The position to build from, and whether that goes on with an earlier start. Tables and checkpoint begin together:
    /// either one without the other would leave events out, or write them twice.
    async fn prepare(&self) -> Result<(LogPosition, bool), RebuildError> {
        let tables = self.projection.tables();
        let transaction = self.database.orm().begin().await?;
        let sql = "insert into projection_checkpoints (name) values ($1) on conflict do nothing";
        let values = [self.checkpoint.clone().into()];
        transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        let at = Checkpoints::lock(&transaction, &self.checkpoint).await?;
        let resumed = at != LogPosition::BEGINNING && self.generation.is_next_ours(&transaction, tables).await?;
        if !resumed {
            self.generation.create_next(&transaction, tables).await?;
            Checkpoints::advance(&transaction, &self.checkpoint, at, LogPosition::BEGINNING).await?;
        }
        transaction.commit().await?;
        Ok((if resumed { at } else { LogPosition::BEGINNING }, resumed))
    }

    /// Brings the next generation to the live checkpoint in a short transaction. A live projection that is behind the
    /// next generation for a moment is waited for.
    async fn meet(&self) -> Result<(), RebuildError> {
        let mut tries = 1;
        loop {
            let transaction = self.database.orm().begin().await?;
            match self.meet_live(&transaction).await {
                Ok(()) => return Ok(transaction.commit().await?),
                Err(RebuildError::Projection(ProjectionError::AheadOfLive { .. })) if tries < TRIES => {
                    transaction.rollback().await?;
                }
                Err(error) => return Err(error),
            }
            tries += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// True where the snapshot holds both generations at the same position.
    async fn are_together(&self, snapshot: &DatabaseTransaction) -> Result<bool, DbErr> {
        let sql =
            "select from projection_checkpoints live join projection_checkpoints next using (generation, tx, position)
                   where live.name = $1 and next.name = $2";
        let values = [self.projection.name().into(), self.checkpoint.clone().into()];
        let found = snapshot.query_one(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        Ok(found.is_some())
    }

    async fn compare_in(&self, transaction: &DatabaseTransaction) -> Result<Comparison, DbErr> {
        let mut comparison = Comparison { digests: Vec::new(), differences: Vec::new() };
        for table in self.projection.tables() {
            let digests = compare::digests(transaction, &self.generation, table).await?;
            if !digests.iter().all(TenantDigest::is_equal) {
                comparison.differences.extend(compare::differences(transaction, &self.generation, table).await?);
            }
            comparison.digests.extend(digests);
        }
        Ok(comparison)
    }

    async fn exchange_in(&self, transaction: &DatabaseTransaction) -> Result<(), RebuildError> {
        self.meet_live(transaction).await?;
        self.generation.exchange(transaction, self.projection.tables()).await?;
        self.forget_checkpoint(transaction).await?;
        Ok(())
    }

    /// One batch; the position after it and how many events it held, or none where there are no more.
    async fn step(&self, from: LogPosition) -> Result<Option<(LogPosition, u64)>, RebuildError> {
        if let Some(sql) = self.projection.set_based() {
            let Some((to, events)) = self.boundary(from).await? else { return Ok(None) };
            let transaction = self.begin(from, to).await?;
            write_set(&transaction, sql, from, to).await?;
            transaction.commit().await?;
            return Ok(Some((to, events)));
        }
        let events = self.reader.after(from, self.batch).await.map_err(ProjectionError::sqlx)?;
        let Some(to) = events.last().map(|event| event.position) else { return Ok(None) };
        let transaction = self.begin(from, to).await?;
        self.apply(&transaction, &events).await?;
        transaction.commit().await?;
        Ok(Some((to, events.len() as u64)))
    }

    /// A transaction whose names mean the next generation, with the checkpoint moved in it.
    async fn begin(&self, from: LogPosition, to: LogPosition) -> Result<DatabaseTransaction, RebuildError> {
        let transaction = self.database.orm().begin().await?;
        transaction.execute_unprepared("set local synchronous_commit = off").await?;
        self.generation.enter_next(&transaction).await?;
        if !Checkpoints::advance(&transaction, &self.checkpoint, from, to).await? {
            return Err(ProjectionError::RebuiltElsewhere { projection: self.projection.name() }.into());
        }
        self.require_next(&transaction).await?;
        Ok(transaction)
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[LoggedEvent]) -> Result<(), ProjectionError> {
        let follows = self.projection.follows();
        let own: Vec<&LoggedEvent> = events.iter().filter(|event| follows.includes(event)).collect();
        if own.is_empty() { Ok(()) } else { self.projection.apply(transaction, &own).await }
    }

    /// Locks the live checkpoint and brings the next generation exactly there. The live tables cannot move meanwhile.
    async fn meet_live(&self, transaction: &DatabaseTransaction) -> Result<(), RebuildError> {
        let live = Checkpoints::lock(transaction, self.projection.name()).await?;
        self.require_next(transaction).await?;
        let from = Checkpoints::lock(transaction, &self.checkpoint).await?;
        if from > live {
            return Err(ProjectionError::AheadOfLive { projection: self.projection.name() }.into());
        }
        self.generation.enter_next(transaction).await?;
        if let Some(sql) = self.projection.set_based() {
            write_set(transaction, sql, from, live).await?;
        } else {
            let events = LogReader::between(transaction, from, live).await?;
            self.apply(transaction, &events).await?;
        }
        Checkpoints::advance(transaction, &self.checkpoint, from, live).await?;
        self.generation.leave_next(transaction).await?;
        Ok(())
    }

    /// Refuses to go on where a name would mean a live table.
    async fn require_next(&self, transaction: &DatabaseTransaction) -> Result<(), RebuildError> {
        let missing = self.generation.missing_next(transaction, self.projection.tables()).await?;
        let projection = self.projection.name();
        missing.map_or(Ok(()), |table| Err(RebuildError::NextMissing { projection, table }))
    }

    /// The place of the last event of the next set, and how many it holds.
    async fn boundary(&self, from: LogPosition) -> Result<Option<(LogPosition, u64)>, RebuildError> {
        let found: Option<(i32, i64, i64, i64)> = sqlx::query_as(
            "select generation, tx::text::bigint, position, count(*) over () from (
                select generation, tx, position from events
                where (generation, tx, position) > ($1, $2::text::xid8, $3)
                  and (generation, tx)
                    < ((select max(generation) from log_generations), pg_snapshot_xmin(pg_current_snapshot()))
                order by generation, tx, position limit $4
             ) as next
             order by generation desc, next.tx desc, position desc limit 1",
        )
        .bind(from.generation)
        .bind(from.tx.to_string())
        .bind(from.position)
        .bind(self.batch)
        .fetch_optional(self.database.pool())
        .await
        .map_err(ProjectionError::sqlx)?;
        Ok(found
            .map(|(generation, tx, position, events)| (of_columns((generation, tx, position)), events.cast_unsigned())))
    }

    async fn behind(&self, from: LogPosition) -> Result<u64, RebuildError> {
        let events: i64 = sqlx::query_scalar(
            "select count(*) from events where (generation, tx, position) > ($1, $2::text::xid8, $3)",
        )
        .bind(from.generation)
        .bind(from.tx.to_string())
        .bind(from.position)
        .fetch_one(self.database.pool())
        .await
        .map_err(ProjectionError::sqlx)?;
        Ok(events.cast_unsigned())
    }

    async fn forget_checkpoint(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        let sql = "delete from projection_checkpoints where name = $1";
        let values = [self.checkpoint.clone().into()];
        connection.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
    }
}

async fn write_set(
    transaction: &DatabaseTransaction,
    sql: &str,
    from: LogPosition,
    to: LogPosition,
) -> Result<(), DbErr> {
    let values = [parameters(from), parameters(to)].concat();
    transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
}
