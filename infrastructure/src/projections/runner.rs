//! The loops that feed projections.

use std::sync::Arc;
use std::time::Duration;

use application::error::chain;
use application::ports::commands::LogPosition;
use sea_orm::{ConnectionTrait, TransactionTrait};

use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::{LogReader, LoggedEvent};
use crate::signals::Signal;

/// Events of one transaction.
const BATCH: i64 = 500;

/// How often a projection looks without a hint.
const POLL: Duration = Duration::from_millis(500);

/// Longest pause after failures. An event is never passed over: the projection waits at it and keeps trying.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Feeds projections from the log.
#[derive(Clone)]
pub struct ProjectionRunner {
    database: Database,
    reader: LogReader,
    checkpoints: Checkpoints,
    log: Signal,
}

impl ProjectionRunner {
    /// A runner that is woken by `log`.
    pub fn new(database: Database, checkpoints: Checkpoints, log: Signal) -> Self {
        Self { reader: LogReader::new(database.clone()), database, checkpoints, log }
    }

    /// Feeds all projections, each on its own, for as long as it is polled.
    pub async fn run(&self, projections: &[Arc<dyn Projection>]) {
        futures::future::join_all(projections.iter().map(|projection| self.follow(projection.as_ref()))).await;
    }

    /// Feeds each projection until nothing more is to be read. On a server that is not always the end of the log: open
    /// transactions, of whatever kind, hold readers back. Whoever needs a position asks for it by `Progress`.
    pub async fn catch_up(&self, projections: &[Arc<dyn Projection>]) -> Result<(), ProjectionError> {
        for projection in projections {
            while !matches!(self.feed(projection.as_ref(), None).await?, Fed::CaughtUp(_)) {}
        }
        Ok(())
    }

    async fn follow(&self, projection: &dyn Projection) {
        let mut hints = self.log.subscribe();
        let mut failures = 0_u32;
        let mut from = None;
        loop {
            match self.feed(projection, from).await {
                Ok(Fed::Moved(to)) => {
                    failures = 0;
                    from = Some(to);
                }
                Ok(Fed::CaughtUp(at)) => {
                    failures = 0;
                    from = Some(at);
                    hints.wait(POLL).await;
                }
                Ok(Fed::Overtaken) => from = None,
                Err(error) => {
                    failures = failures.saturating_add(1);
                    from = None;
                    tracing::error!(projection = projection.name(), error = chain(&error), "the projection waits");
                    tokio::time::sleep(pause(failures)).await;
                }
            }
        }
    }

    /// Feeds the batch after `from`, or after the checkpoint where it is not known.
    async fn feed(&self, projection: &dyn Projection, from: Option<LogPosition>) -> Result<Fed, ProjectionError> {
        let from = match from {
            Some(from) => from,
            None => Checkpoints::load(&self.database, projection.name()).await.map_err(ProjectionError::sqlx)?,
        };
        let events = self.reader.after(from, BATCH).await.map_err(ProjectionError::sqlx)?;
        let Some(last) = events.last() else { return Ok(Fed::CaughtUp(from)) };
        let to = last.position;
        let own: Vec<&LoggedEvent> = events.iter().filter(|event| projection.follows().includes(event)).collect();
        if !self.apply(projection, &own, from, to).await? {
            return Ok(Fed::Overtaken);
        }
        self.checkpoints.moved();
        Ok(Fed::Moved(to))
    }

    /// Writes rows and checkpoint, or neither. The transaction need not be durable at once: after a crash of the
    /// server both are as they were, and the events are applied again.
    async fn apply(
        &self,
        projection: &dyn Projection,
        events: &[&LoggedEvent],
        from: LogPosition,
        to: LogPosition,
    ) -> Result<bool, ProjectionError> {
        let transaction = self.database.orm().begin().await?;
        transaction.execute_unprepared("set local synchronous_commit = off").await?;
        if !Checkpoints::advance(&transaction, projection.name(), from, to).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        if !events.is_empty() {
            projection.apply(&transaction, events).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

/// What feeding one batch came to.
enum Fed {
    /// The projection stands here now; there may be more.
    Moved(LogPosition),
    /// There is nothing after this position.
    CaughtUp(LogPosition),
    /// Another process moved the checkpoint first.
    Overtaken,
}

fn pause(failures: u32) -> Duration {
    Duration::from_millis(200 * 2_u64.saturating_pow(failures.min(10))).min(LONGEST_PAUSE)
}
