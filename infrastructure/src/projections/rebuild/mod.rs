//! Building a projection's tables anew beside the live ones, comparing the two, and exchanging them.
//!
//! The next generation lives in a schema of its own. While it is built, the transaction's search path names that
//! schema first, so the projection's own code writes it without knowing. Reads never see it before the exchange, which
//! is one transaction: the live tables move to the schema of the previous generation, the next ones take their place.
//! The projection's checkpoint row is locked during the exchange, so that no process writes in between.
//!
//! Every batch is one transaction with its own checkpoint. A rebuild that was cut off goes on where it was.

mod compare;
mod generation;

use application::ports::commands::LogPosition;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait};

pub use compare::{Difference, TenantDigest};
use generation::Generation;

use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::{LogReader, LoggedEvent};

/// Events of one transaction where rows are written one by one.
const BATCH: i64 = 2_000;

/// Events of one transaction where the database writes the rows itself.
const SET_BATCH: i64 = 50_000;

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Events that the next generation has seen since this start.
    pub done: u64,
    /// Events that it had to see when it began.
    pub total: u64,
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
}

impl<'a> Rebuild<'a> {
    /// A rebuild of the projection, new or cut off earlier.
    pub async fn of(database: &Database, projection: &'a dyn Projection) -> Result<Self, ProjectionError> {
        Ok(Self {
            database: database.clone(),
            reader: LogReader::new(database.clone()),
            generation: Generation::of(&database.orm(), projection.name()).await?,
            checkpoint: format!("{}@next", projection.name()),
            projection,
        })
    }

    /// Builds the next generation up to where the log is now. Calling it again goes on from there.
    pub async fn build(&self, mut show: impl FnMut(RebuildProgress)) -> Result<(), ProjectionError> {
        self.generation.create_next(&self.database.orm(), self.projection.tables()).await?;
        let mut from = Checkpoints::load(&self.database, &self.checkpoint).await.map_err(ProjectionError::sqlx)?;
        if self.projection.set_based().is_none() {
            // Rows that are written one by one are found again by their keys.
            self.generation.index_next(&self.database.orm(), self.projection.tables()).await?;
        }
        let total = self.behind(from).await?;
        let mut done = 0;
        show(RebuildProgress { done, total });
        while let Some((to, events)) = self.step(from).await? {
            from = to;
            done += events;
            show(RebuildProgress { done, total: total.max(done) });
        }
        self.generation.index_next(&self.database.orm(), self.projection.tables()).await?;
        Ok(())
    }

    /// Compares the next generation with the live tables, both brought to the same position.
    pub async fn compare(&self) -> Result<Comparison, ProjectionError> {
        let transaction = self.database.orm().begin().await?;
        self.meet_live(&transaction).await?;
        let mut comparison = Comparison { digests: Vec::new(), differences: Vec::new() };
        for table in self.projection.tables() {
            let digests = compare::digests(&transaction, &self.generation, table).await?;
            if !digests.iter().all(TenantDigest::is_equal) {
                comparison.differences.extend(compare::differences(&transaction, &self.generation, table).await?);
            }
            comparison.digests.extend(digests);
        }
        transaction.commit().await?;
        Ok(comparison)
    }

    /// Puts the next generation in the live one's place, in one transaction, and keeps that one as the previous.
    pub async fn exchange(&self) -> Result<(), ProjectionError> {
        let transaction = self.database.orm().begin().await?;
        self.meet_live(&transaction).await?;
        self.generation.exchange(&transaction, self.projection.tables()).await?;
        self.forget_checkpoint(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives the next generation up.
    pub async fn abandon(&self) -> Result<(), ProjectionError> {
        let transaction = self.database.orm().begin().await?;
        self.generation.drop_next(&transaction).await?;
        self.forget_checkpoint(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops the previous generation; false where there is none.
    pub async fn drop_previous(&self) -> Result<bool, ProjectionError> {
        let connection = self.database.orm();
        let there = self.generation.has_previous(&connection).await?;
        if there {
            self.generation.drop_previous(&connection).await?;
        }
        Ok(there)
    }

    /// One batch; the position after it and how many events it held, or none where there are no more.
    async fn step(&self, from: LogPosition) -> Result<Option<(LogPosition, u64)>, ProjectionError> {
        if let Some(sql) = self.projection.set_based() {
            let Some((to, events)) = self.boundary(from).await? else { return Ok(None) };
            let transaction = self.begin(from, to).await?;
            write_set(&transaction, sql, from, to).await?;
            transaction.commit().await?;
            return Ok(Some((to, events)));
        }
        let events = self.reader.after(from, BATCH).await.map_err(ProjectionError::sqlx)?;
        let Some(to) = events.last().map(|event| event.position) else { return Ok(None) };
        let transaction = self.begin(from, to).await?;
        self.apply(&transaction, &events).await?;
        transaction.commit().await?;
        Ok(Some((to, events.len() as u64)))
    }

    /// A transaction whose names mean the next generation, with the checkpoint moved in it.
    async fn begin(&self, from: LogPosition, to: LogPosition) -> Result<DatabaseTransaction, ProjectionError> {
        let transaction = self.database.orm().begin().await?;
        transaction.execute_unprepared("set local synchronous_commit = off").await?;
        self.generation.enter_next(&transaction).await?;
        if !Checkpoints::advance(&transaction, &self.checkpoint, from, to).await? {
            return Err(ProjectionError::RebuiltElsewhere { projection: self.projection.name() });
        }
        Ok(transaction)
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[LoggedEvent]) -> Result<(), ProjectionError> {
        let follows = self.projection.follows();
        let own: Vec<&LoggedEvent> = events.iter().filter(|event| follows.includes(event)).collect();
        if own.is_empty() { Ok(()) } else { self.projection.apply(transaction, &own).await }
    }

    /// Locks the live checkpoint and brings the next generation exactly there. The live tables cannot move meanwhile.
    async fn meet_live(&self, transaction: &DatabaseTransaction) -> Result<(), ProjectionError> {
        let live = Checkpoints::lock(transaction, self.projection.name()).await?;
        let from = Checkpoints::lock(transaction, &self.checkpoint).await?;
        if from > live {
            return Err(ProjectionError::AheadOfLive { projection: self.projection.name() });
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

    /// The place of the last event of the next set, and how many it holds.
    async fn boundary(&self, from: LogPosition) -> Result<Option<(LogPosition, u64)>, ProjectionError> {
        let found: Option<(i64, i64, i64)> = sqlx::query_as(
            "select tx::text::bigint, position, count(*) over () from (
                select tx, position from events
                where (tx, position) > ($1::text::xid8, $2) and tx < pg_snapshot_xmin(pg_current_snapshot())
                order by tx, position limit $3
             ) as next
             order by tx desc, position desc limit 1",
        )
        .bind(from.tx.to_string())
        .bind(from.position)
        .bind(SET_BATCH)
        .fetch_optional(self.database.pool())
        .await
        .map_err(ProjectionError::sqlx)?;
        Ok(found
            .map(|(tx, position, events)| (LogPosition { tx: tx.cast_unsigned(), position }, events.cast_unsigned())))
    }

    async fn behind(&self, from: LogPosition) -> Result<u64, ProjectionError> {
        let events: i64 = sqlx::query_scalar("select count(*) from events where (tx, position) > ($1::text::xid8, $2)")
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
    let values = [from.tx.to_string().into(), from.position.into(), to.tx.to_string().into(), to.position.into()];
    transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
}
