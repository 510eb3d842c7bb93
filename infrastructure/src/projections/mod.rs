//! Keeping tables in step with the log.
//!
//! A projection's rows and its checkpoint are written in one transaction, and the checkpoint is compare-and-set in it
//! first: of several processes that run the same projection exactly one writes a batch, and a stale one writes nothing.
//! A lease in the same row saves the others the work. An event that cannot be applied is parked with those of its
//! aggregate that follow, and everything else goes on; an event is never passed over.

mod checkpoints;
mod failure;
mod idle;
mod isolation;
mod lease;
mod parking;
mod rebuild;
mod retry;
mod runner;
mod shared_reader;
mod standing;

use std::time::Duration;

use application::ports::commands::LogPosition;
use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::event_store::LoggedEvent;
use crate::event_store::position::between;

pub use checkpoints::Checkpoints;
pub use parking::ParkedEvent;
pub use rebuild::{PgRebuildEngine, Rebuild, RebuildError, ScopeFault, UnknownScope};
pub use retry::{Retried, retry};
pub use runner::ProjectionRunner;

/// Why an event could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database did not answer as it should.
    #[error("the projection's rows could not be written")]
    Database(#[from] DbErr),
    /// The event does not have the form that its name promises.
    #[error("the event {event_type} at {at} cannot be read")]
    Event {
        /// Its name.
        event_type: String,
        /// Its place in the log.
        at: LogPosition,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A batch did not come to its end.
    #[error("a batch of {events} events was not written within {} seconds", patience.as_secs_f32())]
    Stalled {
        /// How many events it could hold.
        events: i64,
        /// How long it was waited for.
        patience: Duration,
    },
}

impl ProjectionError {
    fn sqlx(error: sqlx::Error) -> Self {
        Self::Database(DbErr::Query(sea_orm::RuntimeErr::SqlxError(error)))
    }
}

/// Which events a projection is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Every event.
    Everything,
    /// The events of one kind of aggregate, by its type name.
    Aggregate(&'static str),
}

impl Follows {
    fn includes(self, event: &LoggedEvent) -> bool {
        match self {
            Self::Everything => true,
            Self::Aggregate(aggregate_type) => event.aggregate_type == aggregate_type,
        }
    }
}

/// One table of a projection, and how its rows are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The column that says whose a row is.
    pub tenant: &'static str,
    /// The column with the id of the one aggregate whose events make a row; none where a row is not of one aggregate, or
    /// does not name it.
    pub aggregate: Option<&'static str>,
}

/// A statement by which the database makes a projection's rows from the log without a detour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetBased {
    /// Inserts the rows of all events. It ends with `from events`, so that conditions can follow.
    pub insert: &'static str,
    /// What comes after the conditions; it passes over rows that are there.
    pub ending: &'static str,
}

impl SetBased {
    /// The statement for the events after one position up to and with another, which are its parameters, that also meet a
    /// condition, which begins with `and` or is empty.
    pub(crate) fn statement(&self, span: (LogPosition, LogPosition), condition: &str) -> String {
        let Self { insert, ending } = self;
        format!("{insert} where {} {condition} {ending}", between(span, 1))
    }
}

/// A table that follows the log. Applying the same events again must give the same rows.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Its frozen name; the checkpoint is kept under it.
    fn name(&self) -> &'static str;

    /// Which events it is given.
    fn follows(&self) -> Follows;

    /// The tables that it writes, and nobody else.
    fn tables(&self) -> &'static [Table];

    /// Where all its rows come from the log by one statement: that statement.
    fn set_based(&self) -> Option<SetBased> {
        None
    }

    /// Writes what the events change, in their order.
    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError>;
}

/// The event as its aggregate's type.
pub(crate) fn decode<E: serde::de::DeserializeOwned>(event: &LoggedEvent) -> Result<E, ProjectionError> {
    event.decode().map_err(|source| ProjectionError::Event {
        event_type: event.event_type.clone(),
        at: event.position,
        source,
    })
}
