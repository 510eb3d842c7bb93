//! The loops that feed projections.

use std::sync::Arc;
use std::time::Duration;

use application::error::chain;
use sea_orm::{DbErr, TransactionTrait};

use super::{Checkpoints, Projection, ProjectionError};
use crate::database::Database;
use crate::event_store::LogReader;
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
            while self.feed(projection.as_ref()).await? {}
        }
        Ok(())
    }

    async fn follow(&self, projection: &dyn Projection) {
        let mut hints = self.log.subscribe();
        let mut failures = 0_u32;
        loop {
            match self.feed(projection).await {
                Ok(true) => failures = 0,
                Ok(false) => {
                    failures = 0;
                    hints.wait(POLL).await;
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    tracing::error!(projection = projection.name(), error = chain(&error), "the projection waits");
                    tokio::time::sleep(pause(failures)).await;
                }
            }
        }
    }

    /// Feeds one batch; false where there was none.
    async fn feed(&self, projection: &dyn Projection) -> Result<bool, ProjectionError> {
        let from = self.checkpoints.load(projection.name()).await.map_err(db)?;
        let events = self.reader.after(from, BATCH).await.map_err(db)?;
        let Some(last) = events.last() else { return Ok(false) };
        let to = last.position;
        let transaction = self.database.orm().begin().await?;
        if !Checkpoints::advance(&transaction, projection.name(), from, to).await? {
            transaction.rollback().await?;
            return Ok(true);
        }
        for event in &events {
            projection.apply(&transaction, event).await?;
        }
        transaction.commit().await?;
        self.checkpoints.moved();
        Ok(true)
    }
}

fn db(error: sqlx::Error) -> ProjectionError {
    ProjectionError::Database(DbErr::Query(sea_orm::RuntimeErr::SqlxError(error)))
}

fn pause(failures: u32) -> Duration {
    Duration::from_millis(200 * 2_u64.saturating_pow(failures.min(10))).min(LONGEST_PAUSE)
}
