//! Bringing the next generation on along the log, never beyond the live tables.

use application::ports::commands::LogPosition;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::scope::events_of;
use super::{Rebuild, RebuildError};
use crate::event_store::position::{Columns, between, of_columns, parameters};
use crate::event_store::{LogReader, LoggedEvent};
use crate::projections::isolation::apply_or_park;
use crate::projections::{Checkpoints, ProjectionError};

impl Rebuild<'_> {
    /// One batch; the position after it and how many events it held, or none where the next generation has come to where
    /// the live tables are.
    ///
    /// The live checkpoint lies behind the horizon, so nothing can appear later before it.
    pub(super) async fn step(&self, from: LogPosition) -> Result<Option<(LogPosition, u64)>, RebuildError> {
        let live = self.live().await?;
        if from >= live {
            return Ok(None);
        }
        let (to, events) = self.batch_end(from, live).await?;
        let transaction = self.database.begin().await?;
        transaction.execute_unprepared("set local synchronous_commit = off").await?;
        if !Checkpoints::advance(&transaction, &self.checkpoint, from, to).await? {
            return Err(RebuildError::RebuiltElsewhere { projection: self.projection.name() });
        }
        self.write(&transaction, from, to).await?;
        transaction.commit().await?;
        Ok(Some((to, events)))
    }

    /// Locks the live checkpoint and brings the next generation exactly there. The live tables cannot move meanwhile.
    pub(super) async fn meet_live(&self, transaction: &DatabaseTransaction) -> Result<(), RebuildError> {
        let live = Checkpoints::lock(transaction, self.projection.name()).await?;
        let projection = self.projection.name();
        let from = match Checkpoints::lock(transaction, &self.checkpoint).await {
            // It goes when the tables are exchanged or given up.
            Err(DbErr::RecordNotFound(_)) => return Err(RebuildError::RebuiltElsewhere { projection }),
            found => found?,
        };
        if from > live {
            return Err(RebuildError::SetBack { projection });
        }
        self.write(transaction, from, live).await?;
        Checkpoints::advance(transaction, &self.checkpoint, from, live).await?;
        Ok(())
    }

    /// Writes what the events after one position up to another change in the next generation: the one place that applies
    /// events. The transaction holds the next generation's checkpoint, so that nobody begins another one meanwhile.
    async fn write(
        &self,
        transaction: &DatabaseTransaction,
        from: LogPosition,
        to: LogPosition,
    ) -> Result<(), RebuildError> {
        self.require_next(transaction).await?;
        let condition = self.condition();
        self.generation.enter_next(transaction).await?;
        if let Some(set_based) = self.projection.set_based() {
            let (sql, values) =
                (set_based.statement((from, to), &condition), [parameters(from), parameters(to)].concat());
            transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        } else {
            let events = LogReader::between(transaction, (from, to), &condition).await?;
            let follows = self.projection.follows();
            let own: Vec<&LoggedEvent> = events.iter().filter(|event| follows.includes(event)).collect();
            apply_or_park(transaction, self.projection, &self.checkpoint, &own).await?;
        }
        Ok(self.generation.leave_next(transaction).await?)
    }

    /// Refuses to go on where a name would mean a live table, or where the tables are another rebuild's.
    async fn require_next(&self, transaction: &DatabaseTransaction) -> Result<(), RebuildError> {
        let projection = self.projection.name();
        if let Some(table) = self.generation.missing_next(transaction, self.projection.tables()).await? {
            return Err(RebuildError::NextMissing { projection, table });
        }
        if self.is_next_ours(transaction).await? { Ok(()) } else { Err(RebuildError::NextOfAnother { projection }) }
    }

    /// Where a batch that begins after `from` ends, and how many events it holds. The last one ends where the live tables
    /// are, also where that is no event of the scope.
    async fn batch_end(&self, from: LogPosition, live: LogPosition) -> Result<(LogPosition, u64), RebuildError> {
        let sql = format!(
            "select generation, tx::text::bigint, position from events where {} {}
             order by generation, events.tx, position offset $7 - 1 limit 1",
            between((from, live), 1),
            self.condition()
        );
        let found: Option<Columns> = sqlx::query_as(&sql)
            .bind(from.generation)
            .bind(from.tx.to_string())
            .bind(from.position)
            .bind(live.generation)
            .bind(live.tx.to_string())
            .bind(live.position)
            .bind(self.batch)
            .fetch_optional(self.database.pool())
            .await
            .map_err(ProjectionError::sqlx)?;
        Ok(match found {
            Some(last) => (of_columns(last), self.batch.cast_unsigned()),
            None => (live, self.count((from, live)).await?),
        })
    }

    /// How many events of the scope the next generation has not seen and the live tables have.
    pub(super) async fn behind(&self, from: LogPosition) -> Result<u64, RebuildError> {
        self.count((from, self.live().await?)).await
    }

    /// How many events of the scope lie between two positions.
    async fn count(&self, (from, to): (LogPosition, LogPosition)) -> Result<u64, RebuildError> {
        let sql = format!("select count(*) from events where {} {}", between((from, to), 1), self.condition());
        let events: i64 = sqlx::query_scalar(&sql)
            .bind(from.generation)
            .bind(from.tx.to_string())
            .bind(from.position)
            .bind(to.generation)
            .bind(to.tx.to_string())
            .bind(to.position)
            .fetch_one(self.database.pool())
            .await
            .map_err(ProjectionError::sqlx)?;
        Ok(events.cast_unsigned())
    }

    /// Where the next generation is.
    pub(super) async fn next(&self) -> Result<LogPosition, RebuildError> {
        let next = Checkpoints::find(&self.database, &self.checkpoint).await.map_err(ProjectionError::sqlx)?;
        // It goes when the tables are exchanged or given up.
        next.ok_or(RebuildError::RebuiltElsewhere { projection: self.projection.name() })
    }

    /// Where the live tables are.
    pub(super) async fn live(&self) -> Result<LogPosition, RebuildError> {
        let live = Checkpoints::load(&self.database, self.projection.name()).await;
        Ok(live.map_err(ProjectionError::sqlx)?)
    }

    fn condition(&self) -> String {
        events_of(self.scope, self.projection.follows())
    }
}
