//! Replaying parked events after the fix.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, TransactionTrait, Value};

use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::{AggregateKey, LoggedEvent};

/// The aggregates with parked events, the one that stopped first leading; one of them where `$2` and `$3` name it.
const AGGREGATES: &str = "
select aggregate_type, aggregate_id from (
    select distinct on (aggregate_type, aggregate_id) aggregate_type, aggregate_id, generation, tx, position
    from parked_events
    where projection = $1 and ($2::text is null or (aggregate_type, aggregate_id) = ($2, $3))
    order by aggregate_type, aggregate_id, sequence
) as first
order by generation, tx, position";

/// Which events, behind what reads events.
const EVENTS: &str = "
where (aggregate_type, aggregate_id, sequence) in (
    select aggregate_type, aggregate_id, sequence from parked_events
    where projection = $1 and aggregate_type = $2 and aggregate_id = $3)
order by sequence";

const UNPARK: &str = "
delete from parked_events where projection = $1 and aggregate_type = $2 and aggregate_id = $3 and sequence <= $4";

const FAILED_AGAIN: &str = "
update parked_events set error = $5, tries = tries + 1
where projection = $1 and aggregate_type = $2 and aggregate_id = $3 and sequence = $4";

/// What a retry came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retried {
    /// Events that the projection has seen now.
    pub replayed: u64,
    /// Events of the same aggregates that stay parked.
    pub still_parked: u64,
}

/// Replays the projection's parked events, of one aggregate or of all.
///
/// Each aggregate's are replayed in their order and in one transaction. The first that fails again stays parked with the
/// new error, and the later ones behind it.
///
/// Like every writer of the projection's tables it locks the checkpoint first, so a feeding process waits for it, or
/// the other way round, and neither for long.
///
/// # Errors
/// Where the database fails; the aggregates before that one are done.
pub async fn retry(
    database: &Database,
    projection: &dyn Projection,
    aggregate: Option<&AggregateKey>,
) -> Result<Retried, ProjectionError> {
    let mut all = Retried::default();
    for aggregate in parked_aggregates(database, projection.name(), aggregate).await? {
        let transaction = database.begin().await?;
        Checkpoints::lock(&transaction, projection.name()).await?;
        let retried = replay(&transaction, projection, &aggregate).await?;
        transaction.commit().await?;
        all.replayed += retried.replayed;
        all.still_parked += retried.still_parked;
    }
    Ok(all)
}

async fn parked_aggregates(
    database: &Database,
    projection: &str,
    one: Option<&AggregateKey>,
) -> Result<Vec<AggregateKey>, ProjectionError> {
    let found: Vec<(String, String)> = sqlx::query_as(AGGREGATES)
        .bind(projection)
        .bind(one.map(|key| &*key.aggregate_type))
        .bind(one.map(|key| &key.aggregate_id))
        .fetch_all(database.pool())
        .await
        .map_err(ProjectionError::sqlx)?;
    Ok(found
        .into_iter()
        .map(|(aggregate_type, aggregate_id)| AggregateKey::new(aggregate_type, aggregate_id))
        .collect())
}

/// Replays one aggregate. What is parked is read under the checkpoint's lock: another retry may have been faster.
async fn replay(
    transaction: &DatabaseTransaction,
    projection: &dyn Projection,
    aggregate: &AggregateKey,
) -> Result<Retried, ProjectionError> {
    let key: [Value; 3] =
        [projection.name().into(), aggregate.aggregate_type.as_ref().into(), aggregate.aggregate_id.clone().into()];
    let of_aggregate = |sql: &str, more: &[Value]| statement(sql, [&key, more].concat());
    let select = format!("{} {EVENTS}", LoggedEvent::SELECT);
    let rows = transaction.query_all(of_aggregate(&select, &[])).await?;
    let events: Vec<LoggedEvent> = rows.iter().map(LoggedEvent::from_result).collect::<Result<_, DbErr>>()?;
    let mut replayed = 0_usize;
    for event in &events {
        let Err(error) = attempt(transaction, projection, event).await? else {
            replayed += 1;
            continue;
        };
        let again = [event.sequence.into(), error.without_values().into()];
        transaction.execute(of_aggregate(FAILED_AGAIN, &again)).await?;
        break;
    }
    if let Some(last) = replayed.checked_sub(1).and_then(|last| events.get(last)) {
        transaction.execute(of_aggregate(UNPARK, &[last.sequence.into()])).await?;
    }
    Ok(Retried { replayed: replayed as u64, still_parked: (events.len() - replayed) as u64 })
}

/// Applies one event, or leaves no trace of it where it is to blame for the failure, which is then the inner error.
pub(super) async fn attempt(
    transaction: &DatabaseTransaction,
    projection: &dyn Projection,
    event: &LoggedEvent,
) -> Result<Result<(), ProjectionError>, ProjectionError> {
    let savepoint = transaction.begin().await?;
    match projection.apply(&savepoint, &[event]).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(Ok(()))
        }
        Err(error) if error.is_of_the_event() => {
            savepoint.rollback().await?;
            Ok(Err(error))
        }
        Err(error) => Err(error),
    }
}

fn statement(sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
