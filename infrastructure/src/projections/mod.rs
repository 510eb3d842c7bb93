//! Keeping tables in step with the log.
//!
//! A projection's rows and its checkpoint are written in one transaction, and the checkpoint is compare-and-set in it
//! first: of several processes that run the same projection exactly one writes a batch, and a stale one writes nothing.

mod checkpoints;
mod runner;

use async_trait::async_trait;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::event_store::LoggedEvent;

pub use checkpoints::Checkpoints;
pub use runner::ProjectionRunner;

/// Why an event could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database did not answer as it should.
    #[error("the projection's rows could not be written")]
    Database(#[from] DbErr),
    /// The event does not have the form that its name promises.
    #[error("the event {event_type} at {tx}-{position} cannot be read")]
    Event {
        /// Its name.
        event_type: String,
        /// The transaction that wrote it.
        tx: u64,
        /// Its number.
        position: i64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

/// A table that follows the log. Applying the same event again must give the same rows.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Its frozen name; the checkpoint is kept under it.
    fn name(&self) -> &'static str;

    /// Writes what the event changes. Events that do not concern it change nothing.
    async fn apply(&self, transaction: &DatabaseTransaction, event: &LoggedEvent) -> Result<(), ProjectionError>;
}

/// The event as its aggregate's type.
pub(crate) fn decode<E: serde::de::DeserializeOwned>(event: &LoggedEvent) -> Result<E, ProjectionError> {
    event.decode().map_err(|source| ProjectionError::Event {
        event_type: event.event_type.clone(),
        tx: event.position.tx,
        position: event.position.position,
        source,
    })
}
