//! What is appended, and what becomes of it.

use std::sync::Arc;

use application::ports::commands::LogPosition;
use cqrs_es::DomainEvent;
use domain::ClaimChange;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::connections::Epoch;
use super::receipts::NewReceipt;

/// The events of one aggregate that one command caused.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The owner; none for the platform's own.
    pub tenant: Option<Uuid>,
    /// The aggregate's type name.
    pub aggregate_type: &'static str,
    /// The aggregate's id.
    pub aggregate_id: String,
    /// The sequence of the last event that the decision was made on; 0 for a new aggregate.
    pub expected: usize,
    /// When that state was recorded, where this process remembered it; none where it was loaded from the log.
    pub remembered: Option<Epoch>,
    /// The new events, in their order.
    pub events: Vec<NewEvent>,
    /// What they claim and release.
    pub claims: Vec<ClaimChange>,
    /// The circumstances, the same for all of them, as JSON.
    pub metadata: Box<RawValue>,
    /// What makes the request recognizable that they answer.
    pub receipt: Option<NewReceipt>,
}

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The frozen name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// Its fields, as JSON.
    pub payload: Box<RawValue>,
}

impl NewEvent {
    /// The form in which the log keeps an event.
    pub fn of(event: &impl DomainEvent) -> Result<Self, serde_json::Error> {
        let payload = to_raw_value(event)?;
        Ok(Self { event_type: event.event_type(), event_version: event.event_version(), payload })
    }
}

/// A recorded commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// A place in the log at or behind its last event, and within the same transaction.
    pub position: LogPosition,
    /// When it was recorded, for [`Commit::remembered`].
    pub epoch: Epoch,
}

/// Why a commit was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Another commit of the same aggregate was first, or the state that it was decided on is not that of the log. Nothing
    /// was recorded.
    #[error("another commit of this aggregate was first")]
    LostRace,
    /// A unique value belongs to another aggregate. Nothing was recorded.
    #[error("this {kind} is taken")]
    Taken {
        /// The claim's kind, which is the field's name.
        kind: String,
    },
    /// The request's key has a receipt already: the request was recorded before, or the key is another's. Nothing was
    /// recorded.
    #[error("the idempotency key has a receipt already")]
    Duplicate,
    /// Too many commits wait to be recorded. Nothing was recorded.
    #[error("too many decisions wait to be recorded")]
    Busy,
    /// No connection to the database could be had. Nothing was recorded.
    #[error("the event log could not be reached")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The statement was sent, and no answer came. The commit may have been recorded.
    #[error("the event log did not answer")]
    Unanswered(#[source] Arc<sqlx::Error>),
    /// The database refused the statement. Nothing was recorded.
    #[error("the event log could not be written")]
    Database(#[source] Arc<sqlx::Error>),
}

impl Commit {
    /// Whose events they are: the aggregate's type and id.
    pub(super) fn key(&self) -> (&'static str, &str) {
        (self.aggregate_type, &self.aggregate_id)
    }

    /// True where it was decided on what was remembered from another epoch than this one.
    pub(super) fn is_stale(&self, now: Epoch) -> bool {
        self.remembered.is_some_and(|then| then != now)
    }

    /// The sequence of its last event once it is recorded.
    pub(super) fn recorded(&self) -> usize {
        self.expected + self.events.len()
    }
}

impl AppendError {
    /// The same trouble, for a commit that was not sent because of it.
    pub(super) fn of_the_unsent(self) -> Self {
        match self {
            Self::Unanswered(error) => Self::Unavailable(error),
            other => other,
        }
    }
}
