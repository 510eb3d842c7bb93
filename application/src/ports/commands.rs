//! Recording decisions in the event log.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use domain::EventSourced;
use domain::ids::TenantId;
use uuid::Uuid;

use crate::context::RequestContext;
use crate::error::{CommandError, PortError};

/// A place in the log's global order. As text: its three numbers, with hyphens between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// How often the log had been restored from a dump when the event was recorded, counted from 1. Each restore may
    /// count transactions anew.
    pub generation: i32,
    /// The transaction that wrote the event.
    pub tx: u64,
    /// The event's number.
    pub position: i64,
}

impl LogPosition {
    /// Before every event.
    pub const BEGINNING: Self = Self { generation: 0, tx: 0, position: 0 };
}

impl fmt::Display for LogPosition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{}", self.generation, self.tx, self.position)
    }
}

/// The text is no position in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position in the log is three numbers with hyphens between them, such as 1-7431-205")]
pub struct NoLogPosition;

impl FromStr for LogPosition {
    type Err = NoLogPosition;

    fn from_str(text: &str) -> Result<Self, NoLogPosition> {
        let mut numbers = text.splitn(3, '-');
        let mut next = || numbers.next().ok_or(NoLogPosition);
        let (generation, tx, position) = (next()?, next()?, next()?);
        Ok(Self {
            generation: generation.parse().map_err(|_| NoLogPosition)?,
            tx: tx.parse().map_err(|_| NoLogPosition)?,
            position: position.parse().map_err(|_| NoLogPosition)?,
        })
    }
}

/// On which version of an aggregate a command may be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// On whatever is the newest.
    Any,
    /// On this one only: the sequence of the aggregate's last event.
    Version(u64),
}

/// What a command caused.
#[derive(Debug, Clone)]
pub struct Recorded<E> {
    /// The aggregate; of a repeated request, the one that the first outcome is about.
    pub id: Uuid,
    /// The place of the last new event; none where the command changed nothing.
    pub position: Option<LogPosition>,
    /// The new events.
    pub events: Vec<E>,
    /// True where this is the first outcome of a request that was repeated, and nothing was recorded now.
    pub replayed: bool,
}

/// Loading one kind of aggregate and recording what commands cause.
#[async_trait]
pub trait Commands<A: EventSourced>: Send + Sync {
    /// Loads the aggregate, asks it, and records the events that it answers with, all or none.
    ///
    /// A race that others won is decided anew on the newer state, a few times; with [`Expect::Version`] it is not, and
    /// a newer state is answered as [`CommandError::Changed`]. An aggregate of another tenant than the context's
    /// answers like one that is not there.
    ///
    /// Where the context has a receipt, it is recorded with the events, and a request that is repeated gets the first
    /// outcome. A command that changes nothing, or is refused, leaves no receipt: its repeat is decided anew.
    async fn execute_expecting(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>>;

    /// The same, on whatever version is the newest.
    async fn execute(
        &self,
        context: &RequestContext,
        id: Uuid,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        self.execute_expecting(context, id, Expect::Any, command).await
    }

    /// What the request recorded when it was made first; none for a request that is new or has no receipt.
    ///
    /// For use cases that ask more than the aggregate before they decide: a repeat is not asked again.
    async fn first_outcome(
        &self,
        context: &RequestContext,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>>;

    /// The aggregate as it is now; its default where it does not exist.
    async fn load(&self, id: Uuid) -> Result<A, PortError>;
}

/// Questions about the log itself.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// How many events a tenant has.
    async fn count(&self, tenant: TenantId) -> Result<u64, PortError>;
}
