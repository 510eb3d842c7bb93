//! Events that wait for their projection to be mended.
//!
//! An aggregate's events reach a projection in their order or not at all, so the events behind a parked one are parked
//! too. Whoever parks an event or takes it out holds the lock of the projection's checkpoint.

use std::collections::HashSet;

use application::ports::commands::LogPosition;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::ProjectionError;
use crate::database::Database;
use crate::event_store::position::of_columns;
use crate::event_store::{AggregateKey, LoggedEvent};

/// Parks the events of the list of JSON objects `$2`, with the error `$3` after `$4` tries.
const PARK: &str = "
insert into parked_events (
    projection, aggregate_type, aggregate_id, sequence, generation, tx, position, tenant_id, event_type, error, tries
)
select $1, aggregate_type, aggregate_id, sequence, generation, tx, position, tenant_id, event_type, $3, $4
from events
join jsonb_to_recordset($2) as parked (aggregate_type text, aggregate_id text, sequence bigint)
     using (aggregate_type, aggregate_id, sequence)
on conflict do nothing";

const AGGREGATES: &str = "
select distinct aggregate_type, aggregate_id
from parked_events
join jsonb_to_recordset($2) as asked (aggregate_type text, aggregate_id text) using (aggregate_type, aggregate_id)
where projection = $1";

/// An event that its projection has not seen, although it stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The projection's name.
    pub projection: String,
    /// The event's aggregate.
    pub aggregate: AggregateKey,
    /// Its number within the aggregate.
    pub sequence: i64,
    /// Its place in the log.
    pub position: LogPosition,
    /// The owner; none for the platform's own.
    pub tenant_id: Option<Uuid>,
    /// Its frozen name.
    pub event_type: String,
    /// Why it could not be applied, without values; none where it waits for an earlier event of its aggregate.
    pub error: Option<String>,
    /// How often it was tried.
    pub tries: i32,
    /// Since when it is parked.
    pub parked_at: DateTime<Utc>,
}

impl FromRow<'_, sqlx::postgres::PgRow> for ParkedEvent {
    fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row;
        Ok(Self {
            projection: row.try_get("projection")?,
            aggregate: AggregateKey::new(
                row.try_get::<String, _>("aggregate_type")?,
                row.try_get::<String, _>("aggregate_id")?,
            ),
            sequence: row.try_get("sequence")?,
            position: of_columns((row.try_get("generation")?, row.try_get("tx")?, row.try_get("position")?)),
            tenant_id: row.try_get("tenant_id")?,
            event_type: row.try_get("event_type")?,
            error: row.try_get("error")?,
            tries: row.try_get("tries")?,
            parked_at: row.try_get("parked_at")?,
        })
    }
}

impl ParkedEvent {
    /// The parked events of all projections, at most `most`: by projection, then in the log's order. Those of a rebuild
    /// in progress are not among them.
    pub async fn list(database: &Database, most: i64) -> Result<Vec<Self>, ProjectionError> {
        sqlx::query_as(
            "select projection, aggregate_type, aggregate_id, sequence, generation, tx::text::bigint as tx, position,
                    tenant_id, event_type, error, tries, parked_at
             from parked_events
             where projection not like '%@next'
             order by projection, generation, parked_events.tx, position
             limit $1",
        )
        .bind(most)
        .fetch_all(database.pool())
        .await
        .map_err(ProjectionError::sqlx)
    }
}

/// Why an event is parked that waits for no other.
pub(super) struct Fault {
    pub(super) error: String,
    pub(super) tries: i32,
}

/// Those of the events' aggregates that have parked events.
pub(super) async fn blocked(
    transaction: &DatabaseTransaction,
    projection: &str,
    events: &[&LoggedEvent],
) -> Result<HashSet<AggregateKey>, DbErr> {
    let asked = list(events);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, AGGREGATES, [projection.into(), asked.into()]);
    let rows = transaction.query_all(statement).await?;
    rows.iter()
        .map(|row| {
            let (kind, id): (String, String) = (row.try_get("", "aggregate_type")?, row.try_get("", "aggregate_id")?);
            Ok(AggregateKey::new(kind, id))
        })
        .collect()
}

/// Parks the events: with a fault the one that has it, without one those that wait for another.
pub(super) async fn park(
    transaction: &DatabaseTransaction,
    projection: &str,
    events: &[&LoggedEvent],
    fault: Option<Fault>,
) -> Result<(), DbErr> {
    if events.is_empty() {
        return Ok(());
    }
    let (error, tries) = fault.map_or((None, 0), |Fault { error, tries }| (Some(error), tries));
    let values = [projection.into(), list(events).into(), error.into(), tries.into()];
    transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, PARK, values)).await.map(|_| ())
}

/// Forgets the projection's parked events that meet a condition, which begins with `and` or is empty.
pub(super) async fn forget(transaction: &DatabaseTransaction, projection: &str, condition: &str) -> Result<(), DbErr> {
    let sql = format!("delete from parked_events where projection = $1 {condition}");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [projection.into()]);
    transaction.execute(statement).await.map(|_| ())
}

/// Makes one projection's parked events another's; false where there are none.
pub(super) async fn rename(transaction: &DatabaseTransaction, from: &str, to: &str) -> Result<bool, DbErr> {
    let sql = "update parked_events set projection = $2 where projection = $1";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [from.into(), to.into()]);
    Ok(transaction.execute(statement).await?.rows_affected() > 0)
}

fn list(events: &[&LoggedEvent]) -> Value {
    let key = |event: &&LoggedEvent| {
        json!({
            "aggregate_type": event.aggregate_type,
            "aggregate_id": event.aggregate_id,
            "sequence": event.sequence,
        })
    };
    events.iter().map(key).collect()
}
