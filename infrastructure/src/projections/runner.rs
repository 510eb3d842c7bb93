//! The loops that feed projections.

use std::sync::Arc;
use std::time::Duration;

use application::error::chain;
use application::ports::commands::LogPosition;
use sea_orm::DatabaseTransaction;

use super::idle::IdleMoves;
use super::lease::{Leases, Stretch};
use super::parking;
use super::shared_reader::SharedReader;
use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::{AggregateKey, LogReader, LoggedEvent};
use crate::signals::Signal;

/// Events of one transaction.
const BATCH: i64 = 500;

/// Longest time for a batch, whatever it waits for. Then the transaction is given up and the lease with it: a process that
/// hangs must not keep the others from a projection.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a projection looks without a hint, once nothing has come for a while.
const POLL: Duration = Duration::from_millis(500);

/// How soon it looks again after a hint. What the hint was about may lie beyond the horizon, and no hint comes when the
/// transaction that holds it back has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Longest pause after failures that no event is to blame for. They are waited out, however long they last.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Feeds projections from the log.
#[derive(Clone)]
pub struct ProjectionRunner {
    database: Database,
    reader: Arc<SharedReader>,
    checkpoints: Checkpoints,
    leases: Leases,
    idle: Arc<IdleMoves>,
    log: Signal,
    patience: Duration,
}

impl ProjectionRunner {
    /// A runner that is woken by `log`. Each is a process of its own to the others.
    pub fn new(database: Database, checkpoints: Checkpoints, log: Signal) -> Self {
        let log_reader = LogReader::new(database.clone());
        let (reader, leases) = (Arc::new(SharedReader::new(log_reader)), Leases::new(database.clone()));
        let idle = Arc::new(IdleMoves::new(leases.clone()));
        Self { database, reader, checkpoints, leases, idle, log, patience: PATIENCE }
    }

    /// The same with another time for a batch.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Feeds all projections whose lease it gets, each on its own, for as long as it is polled.
    pub async fn run(&self, projections: &[Arc<dyn Projection>]) {
        let names = names(projections);
        let feeding = futures::future::join_all(projections.iter().map(|projection| self.follow(projection.as_ref())));
        futures::future::join(feeding, self.leases.keep(&names)).await;
    }

    /// Lets other processes feed the projections at once. For a process that has stopped feeding them.
    pub async fn give_back(&self, projections: &[Arc<dyn Projection>]) {
        self.leases.give_back(&names(projections)).await;
    }

    /// Feeds each projection that no other process feeds until nothing more is to be read. On a server that is not
    /// always the end of the log: open transactions, of whatever kind, hold readers back. Whoever needs a position asks
    /// for it by `Progress`.
    pub async fn catch_up(&self, projections: &[Arc<dyn Projection>]) -> Result<(), ProjectionError> {
        let mut caught_up = Ok(());
        for projection in projections {
            caught_up = caught_up.and(self.feed_to_the_end(projection.as_ref()).await);
        }
        self.give_back(projections).await;
        caught_up
    }

    async fn feed_to_the_end(&self, projection: &dyn Projection) -> Result<(), ProjectionError> {
        loop {
            match self.feed(projection, None, BATCH).await? {
                Fed::Moved(_) => {}
                Fed::CaughtUp(_) => return Ok(()),
                Fed::Overtaken => {
                    self.leases.take(&[projection.name()]).await.map_err(ProjectionError::sqlx)?;
                    if !self.leases.holds(projection.name()) {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn follow(&self, projection: &dyn Projection) {
        let mut hints = self.log.subscribe();
        let mut failures = 0_u32;
        let mut from = None;
        let mut batch = BATCH;
        let mut again = LOOK_AGAIN;
        loop {
            if !self.leases.holds(projection.name()) {
                from = None;
                self.leases.until_held(projection.name()).await;
            }
            let fed = tokio::time::timeout(self.patience, self.feed(projection, from, batch)).await;
            match fed.unwrap_or(Err(ProjectionError::Stalled { events: batch, patience: self.patience })) {
                Ok(Fed::Moved(to)) => {
                    failures = 0;
                    batch = BATCH;
                    again = LOOK_AGAIN;
                    from = Some(to);
                }
                Ok(Fed::CaughtUp(at)) => {
                    failures = 0;
                    from = Some(at).filter(|at| !self.leases.has_fallen_back(projection.name(), *at));
                    let hinted = hints.wait(again).await;
                    again = if hinted { LOOK_AGAIN } else { POLL.min(again * 2) };
                }
                Ok(Fed::Overtaken) => {
                    from = None;
                    self.leases.lost(projection.name());
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    from = None;
                    if matches!(error, ProjectionError::Stalled { .. }) {
                        // Whatever is slow, a smaller batch may get through.
                        batch = (batch / 4).max(1);
                    }
                    tracing::error!(projection = projection.name(), error = told(&error), "the projection waits");
                    self.leases.rest(projection.name(), pause(failures)).await;
                }
            }
        }
    }

    /// Feeds a batch after `from`, or after the checkpoint where it is not known. Where one event of it is to blame
    /// for a failure, that one is parked. Rows that one statement makes of many events are not parked: it waits.
    async fn feed(
        &self,
        projection: &dyn Projection,
        from: Option<LogPosition>,
        batch: i64,
    ) -> Result<Fed, ProjectionError> {
        let from = match from {
            Some(from) => from,
            None => Checkpoints::load(&self.database, projection.name()).await.map_err(ProjectionError::sqlx)?,
        };
        let events = self.reader.after(from, batch).await.map_err(ProjectionError::sqlx)?;
        match self.write(projection, from, &events).await {
            Err(error) if error.is_of_the_event() && projection.set_based().is_none() => {
                tracing::warn!(projection = projection.name(), error = told(&error), "an event cannot be applied");
                self.isolate(projection, from, &events).await
            }
            done => done,
        }
    }

    /// Writes rows and checkpoint, or neither.
    pub(super) async fn write(
        &self,
        projection: &dyn Projection,
        from: LogPosition,
        events: &[LoggedEvent],
    ) -> Result<Fed, ProjectionError> {
        let Some(last) = events.last() else { return Ok(Fed::CaughtUp(from)) };
        let (name, stretch) = (projection.name(), Stretch { from, to: last.position, events: events.len() });
        if !events.iter().any(|event| projection.follows().includes(event)) {
            // Nothing but the checkpoint is written, so one statement does it for several projections.
            if !self.idle.advance(name, stretch).await? {
                return Ok(Fed::Overtaken);
            }
            self.moved(name, last.position);
            return Ok(Fed::Moved(last.position));
        }
        let transaction = self.begin().await?;
        let Some(advanced) = self.leases.advance(&transaction, name, stretch).await? else {
            transaction.rollback().await?;
            return Ok(Fed::Overtaken);
        };
        let mut own: Vec<&LoggedEvent> = events.iter().filter(|event| projection.follows().includes(event)).collect();
        if advanced.may_have_parked {
            let blocked = parking::blocked(&transaction, name, &own).await?;
            let (waiting, free): (Vec<&LoggedEvent>, _) =
                own.into_iter().partition(|event| blocked.contains(&AggregateKey::of(event)));
            parking::park(&transaction, name, &waiting, None).await?;
            own = free;
        }
        if !own.is_empty() {
            projection.apply(&transaction, &own).await?;
        }
        transaction.commit().await?;
        self.moved(name, last.position);
        Ok(Fed::Moved(last.position))
    }

    /// The transaction of a batch.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, ProjectionError> {
        Ok(self.database.begin().await?)
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Tells those who wait for a position.
    pub(super) fn moved(&self, name: &str, to: LogPosition) {
        self.checkpoints.moved(name, to);
    }
}

/// What feeding one batch came to.
pub(super) enum Fed {
    /// The projection stands here now; there may be more.
    Moved(LogPosition),
    /// There is nothing after this position.
    CaughtUp(LogPosition),
    /// Another process moved the checkpoint first, or holds the lease.
    Overtaken,
}

fn pause(failures: u32) -> Duration {
    Duration::from_millis(200 * 2_u64.saturating_pow(failures.min(10))).min(LONGEST_PAUSE)
}

fn names(projections: &[Arc<dyn Projection>]) -> Vec<&'static str> {
    projections.iter().map(|projection| projection.name()).collect()
}

/// The failure as it is logged: without the values of an event that is to blame for it.
fn told(error: &ProjectionError) -> String {
    if error.is_of_the_event() { error.without_values() } else { chain(error) }
}
