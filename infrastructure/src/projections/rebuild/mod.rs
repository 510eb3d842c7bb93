//! Building a projection's rows anew beside the live ones, comparing the two, and exchanging them.
//!
//! The next generation lives in a schema of its own. While it is built, the transaction's search path names that
//! schema first, so the projection's own code writes it without knowing. Reads never see it before the exchange, which
//! is one transaction. Of all rows: the live tables move to the schema of the previous generation, the next ones take
//! their place. Of one tenant or aggregate: the next generation has the rows of that scope alone, and they replace the
//! live ones of that scope. The projection's checkpoint row is locked during the exchange, so that no process writes in
//! between.
//!
//! Every batch is one transaction with its own checkpoint. A rebuild that was cut off goes on where it was, if a program of
//! the same sources goes on with it, on tables of the same form, for the same rows. Before every write the next generation's
//! tables must be there: PostgreSQL passes over a schema of the search path that does not exist, and the names would mean the
//! live tables.
//!
//! The next generation never goes beyond the live tables, so that the two can always be brought to one position, also
//! where nothing feeds the live ones. What they have not seen they will be given by whoever feeds them, after an exchange
//! as before.
//!
//! Events that cannot be applied are parked under the name of the next generation's checkpoint, and after the exchange
//! under the projection's own.
//!
//! Tables are made, moved and dropped by the login that owns them; rows are written and compared by the role that every
//! projection works under. A next table gets the rights and policies of the live one before any row.
//!
//! Whatever has a transaction number holds all readers of the log back, so those transactions are short; only the
//! making of indexes is as long as the tables are large.

mod compare;
mod engine;
mod error;
mod exchange;
mod feed;
mod generation;
mod protection;
mod scope;

use std::time::Duration;

use application::ports::commands::LogPosition;
use application::ports::rebuilds::{Comparison, Discarded, RebuildBeginning, RebuildProgress};
use domain::rebuild::RebuildScope;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

pub use engine::PgRebuildEngine;
pub use error::{RebuildError, ScopeFault, UnknownScope};
use generation::Generation;

use super::{Checkpoints, Projection, ProjectionError, parking};
use crate::database::Database;

/// Events of one transaction where rows are written one by one.
const BATCH: i64 = 2_000;

/// Events of one transaction where the database writes the rows itself.
const SET_BATCH: i64 = 10_000;

/// How often the live projection is met in the hope that it has not moved when both are looked at. Each time is short.
const MEETINGS: u32 = 50;

/// How often the live tables are asked for before the exchange ends with an error.
const TRIES: u32 = 10;

/// The live projection stands still while the next generation is brought exactly there, so this many events or fewer should be
/// left.
const FEW: u64 = 100;

/// How often the next generation comes to where the live tables were a moment ago before it is taken that they go on as
/// quickly as it does.
const ROUNDS: u32 = 20;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Rebuilds one projection's rows.
pub struct Rebuild<'a> {
    database: Database,
    projection: &'a dyn Projection,
    scope: RebuildScope,
    generation: Generation,
    checkpoint: String,
    batch: i64,
}

impl<'a> Rebuild<'a> {
    /// A rebuild of all rows, new or cut off earlier.
    pub async fn of(database: &Database, projection: &'a dyn Projection) -> Result<Self, ProjectionError> {
        Self::of_rows(database, projection, RebuildScope::Everyone).await
    }

    /// A rebuild of the rows of a scope, new or cut off earlier.
    pub async fn of_rows(
        database: &Database,
        projection: &'a dyn Projection,
        scope: RebuildScope,
    ) -> Result<Self, ProjectionError> {
        Ok(Self {
            database: database.clone(),
            generation: Generation::of(&database.orm(), projection.name(), scope).await?,
            checkpoint: format!("{}@next", projection.name()),
            batch: if projection.set_based().is_some() { SET_BATCH } else { BATCH },
            scope,
            projection,
        })
    }

    /// The same with another number of events in one transaction.
    #[must_use]
    pub fn in_batches_of(self, events: i64) -> Self {
        Self { batch: events, ..self }
    }

    /// Builds the next generation up to where the live tables are now. Calling it again goes on from there, unless the
    /// program or the tables' form has changed since, other rows are meant, or a part of the next generation is missing:
    /// then it begins anew.
    pub async fn build(&self, mut show: impl FnMut(RebuildProgress)) -> Result<(), RebuildError> {
        let (mut from, beginning) = self.prepare().await?;
        if self.projection.set_based().is_none() {
            // Rows that are written one by one are found again by their keys.
            self.generation.index_next(&self.database, self.projection.tables()).await?;
        }
        let total = self.behind(from).await?;
        let mut done = 0;
        let mut show = |done: u64| show(RebuildProgress { done, total: total.max(done), beginning });
        show(done);
        // The second round is for what was recorded while the indexes were made.
        for _ in 0..2 {
            while let Some((to, events)) = self.step(from).await? {
                from = to;
                done += events;
                show(done);
                if self.is_last(events) {
                    break;
                }
            }
            self.generation.index_next(&self.database, self.projection.tables()).await?;
        }
        Ok(())
    }

    /// Compares the next generation with the live rows, both brought to the same position.
    pub async fn compare(&self) -> Result<Comparison, RebuildError> {
        for _ in 0..MEETINGS {
            self.meet().await?;
            let snapshot = self.database.begin_snapshot().await?;
            let comparison =
                if self.are_together(&snapshot).await? { Some(self.compare_in(&snapshot).await?) } else { None };
            snapshot.rollback().await?;
            if let Some(comparison) = comparison {
                return Ok(comparison);
            }
        }
        // The live projection is never caught standing still, so this once it has to.
        let locked = self.database.begin().await?;
        self.meet_live(&locked).await?;
        let comparison = self.compare_in(&locked).await?;
        locked.commit().await?;
        Ok(comparison)
    }

    /// Gives the next generation up, unless it is another rebuild's by now.
    pub async fn abandon(&self) -> Result<(), RebuildError> {
        let transaction = self.database.begin_as_owner().await?;
        // Held until the end, so that nobody begins another one in between.
        if let Err(error) = Checkpoints::lock(&transaction, &self.checkpoint).await
            && !matches!(error, DbErr::RecordNotFound(_))
        {
            return Err(error.into());
        }
        if self.generation.has_next(&transaction).await? && !self.is_next_ours(&transaction).await? {
            return Err(RebuildError::NextOfAnother { projection: self.projection.name() });
        }
        parking::forget(&transaction, &self.checkpoint, "").await?;
        self.forget_checkpoint(&transaction).await?;
        self.generation.drop_next(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops the previous generation; false where there is none.
    pub async fn drop_previous(&self) -> Result<bool, RebuildError> {
        let transaction = self.database.begin_as_owner().await?;
        let there = self.generation.has_previous(&transaction).await?;
        if there {
            self.generation.drop_previous(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(there)
    }

    /// The position to build from, and what becomes of an earlier start. Tables and checkpoint begin together: either one
    /// without the other would leave events out, or write them twice.
    async fn prepare(&self) -> Result<(LogPosition, RebuildBeginning), RebuildError> {
        let tables = self.projection.tables();
        let live = self.live().await?;
        let transaction = self.database.begin_as_owner().await?;
        let sql = "insert into projection_checkpoints (name) values ($1) on conflict do nothing";
        let values = [self.checkpoint.clone().into()];
        transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        let at = Checkpoints::lock(&transaction, &self.checkpoint).await?;
        let beginning = if at == LogPosition::BEGINNING {
            RebuildBeginning::New
        } else {
            let discarded = self.discarded(&transaction, at, live).await?;
            discarded.map_or(RebuildBeginning::Resumed, RebuildBeginning::Anew)
        };
        if beginning == RebuildBeginning::Resumed {
            transaction.commit().await?;
            return Ok((at, beginning));
        }
        self.generation.create_next(&transaction, tables).await?;
        parking::forget(&transaction, &self.checkpoint, "").await?;
        Checkpoints::advance(&transaction, &self.checkpoint, at, LogPosition::BEGINNING).await?;
        transaction.commit().await?;
        Ok((LogPosition::BEGINNING, beginning))
    }

    /// Why what an earlier start has built up to a position cannot be gone on with; none where it can.
    async fn discarded(
        &self,
        transaction: &DatabaseTransaction,
        at: LogPosition,
        live: LogPosition,
    ) -> Result<Option<Discarded>, DbErr> {
        let tables = self.projection.tables();
        if at > live || self.generation.missing_next(transaction, tables).await?.is_some() {
            return Ok(Some(Discarded::Damaged));
        }
        self.generation.foreign_next(transaction, tables).await
    }

    /// True where a batch of so many events has come to where the live tables were when it began.
    fn is_last(&self, events: u64) -> bool {
        events < self.batch.cast_unsigned()
    }

    /// Brings the next generation to the live checkpoint, the last few events in a short transaction that holds it.
    async fn meet(&self) -> Result<(), RebuildError> {
        let mut from = self.next().await?;
        let mut rounds = 0;
        while let Some((to, events)) = self.step(from).await? {
            from = to;
            rounds += u32::from(self.is_last(events));
            if rounds == ROUNDS || (self.is_last(events) && events <= FEW) {
                break;
            }
        }
        let transaction = self.database.begin().await?;
        self.meet_live(&transaction).await?;
        Ok(transaction.commit().await?)
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
        compare::compare(transaction, &self.generation, self.projection.tables()).await
    }

    async fn is_next_ours(&self, connection: &impl ConnectionTrait) -> Result<bool, DbErr> {
        Ok(self.generation.foreign_next(connection, self.projection.tables()).await?.is_none())
    }

    async fn forget_checkpoint(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        let sql = "delete from projection_checkpoints where name = $1";
        let values = [self.checkpoint.clone().into()];
        connection.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
    }
}
