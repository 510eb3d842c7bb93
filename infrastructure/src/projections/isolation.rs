//! Finding the one event of a batch that its projection cannot apply, and parking it.

use std::collections::HashSet;
use std::time::Duration;

use application::ports::commands::LogPosition;
use sea_orm::{DatabaseTransaction, TransactionTrait};

use super::lease::Stretch;
use super::parking::{self, Fault};
use super::retry::attempt;
use super::runner::{Fed, ProjectionRunner};
use super::{Projection, ProjectionError};
use crate::event_store::{AggregateKey, LoggedEvent};

/// How often an event is tried before it is parked.
const TRIES: i32 = 5;

/// The pause after the first try; each is twice as long as the one before, so that parking takes a second and a half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What was written of a batch that failed as a whole.
enum Written {
    /// All of it; it had been in the way of something.
    All,
    /// What is before this event.
    UpTo { event: usize, at: LogPosition, error: ProjectionError },
    /// Nothing: another process feeds the projection.
    Overtaken,
}

impl ProjectionRunner {
    /// Writes the batch up to the first event that cannot be applied, and that event too if a later try succeeds. Else
    /// it is parked, in the transaction that moves the checkpoint over it.
    pub(super) async fn isolate(
        &self,
        projection: &dyn Projection,
        from: LogPosition,
        events: &[LoggedEvent],
    ) -> Result<Fed, ProjectionError> {
        let (event, at, mut error) = match self.write_what_can_be(projection, from, events).await? {
            Written::All => return Ok(events.last().map_or(Fed::CaughtUp(from), |last| Fed::Moved(last.position))),
            Written::Overtaken => return Ok(Fed::Overtaken),
            Written::UpTo { event, at, error } => (&events[event], at, error),
        };
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            tokio::time::sleep(pause).await;
            pause *= 2;
            match self.write(projection, at, std::slice::from_ref(event)).await {
                Err(again) if again.is_of_the_event() => error = again,
                done => return done,
            }
        }
        self.park(projection, at, event, &error).await
    }

    /// Writes events one by one, in one transaction, until one fails.
    async fn write_what_can_be(
        &self,
        projection: &dyn Projection,
        from: LogPosition,
        events: &[LoggedEvent],
    ) -> Result<Written, ProjectionError> {
        let name = projection.name();
        let transaction = self.begin().await?;
        // Moved nowhere: to hold it locked until it is known how far it can be moved.
        let locked = self.leases().advance(&transaction, name, Stretch { from, to: from, events: 0 }).await?;
        let Some(locked) = locked else {
            transaction.rollback().await?;
            return Ok(Written::Overtaken);
        };
        let own: Vec<&LoggedEvent> = events.iter().filter(|event| projection.follows().includes(event)).collect();
        let blocked =
            if locked.may_have_parked { parking::blocked(&transaction, name, &own).await? } else { HashSet::new() };
        let (mut written, mut at, mut waiting) = (Written::All, from, Vec::new());
        for (index, event) in events.iter().enumerate() {
            if blocked.contains(&AggregateKey::of(event)) {
                waiting.push(event);
            } else if projection.follows().includes(event)
                && let Err(error) = attempt(&transaction, projection, event).await?
            {
                written = Written::UpTo { event: index, at, error };
                break;
            }
            at = event.position;
        }
        parking::park(&transaction, name, &waiting, None).await?;
        let done = events.iter().take_while(|event| event.position <= at).count();
        if self.leases().advance(&transaction, name, Stretch { from, to: at, events: done }).await?.is_none() {
            transaction.rollback().await?;
            return Ok(Written::Overtaken);
        }
        transaction.commit().await?;
        self.moved(name, at);
        Ok(written)
    }

    async fn park(
        &self,
        projection: &dyn Projection,
        from: LogPosition,
        event: &LoggedEvent,
        error: &ProjectionError,
    ) -> Result<Fed, ProjectionError> {
        let (name, to) = (projection.name(), event.position);
        let transaction = self.begin().await?;
        if self.leases().advance(&transaction, name, Stretch { from, to, events: 1 }).await?.is_none() {
            transaction.rollback().await?;
            return Ok(Fed::Overtaken);
        }
        let fault = Fault { error: error.without_values(), tries: TRIES };
        tracing::error!(
            projection = name,
            aggregate_type = event.aggregate_type,
            aggregate_id = event.aggregate_id,
            error = fault.error,
            "the event is parked"
        );
        parking::park(&transaction, name, &[event], Some(fault)).await?;
        transaction.commit().await?;
        self.moved(name, to);
        Ok(Fed::Moved(to))
    }
}

/// Applies the events of a rebuild: all at once those whose aggregate is free. Those that cannot be applied are parked
/// under `name` at the first try, and the later ones of their aggregates behind them: what is in the way of the server
/// itself ends the rebuild, and it is given again.
pub(super) async fn apply_or_park(
    transaction: &DatabaseTransaction,
    projection: &dyn Projection,
    name: &str,
    events: &[&LoggedEvent],
) -> Result<(), ProjectionError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut blocked = parking::blocked(transaction, name, events).await?;
    let (mut waiting, free): (Vec<&LoggedEvent>, Vec<&LoggedEvent>) =
        events.iter().partition(|event| blocked.contains(&AggregateKey::of(event)));
    if !apply_together(transaction, projection, &free).await? {
        for event in free {
            if blocked.contains(&AggregateKey::of(event)) {
                waiting.push(event);
            } else if let Err(error) = attempt(transaction, projection, event).await? {
                let fault = Fault { error: error.without_values(), tries: 1 };
                parking::park(transaction, name, &[event], Some(fault)).await?;
                blocked.insert(AggregateKey::of(event));
            }
        }
    }
    Ok(parking::park(transaction, name, &waiting, None).await?)
}

/// Applies the events, or leaves no trace of any where one of them is to blame for a failure; false then.
async fn apply_together(
    transaction: &DatabaseTransaction,
    projection: &dyn Projection,
    events: &[&LoggedEvent],
) -> Result<bool, ProjectionError> {
    if events.is_empty() {
        return Ok(true);
    }
    let savepoint = transaction.begin().await?;
    match projection.apply(&savepoint, events).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(true)
        }
        Err(error) if error.is_of_the_event() => {
            savepoint.rollback().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
