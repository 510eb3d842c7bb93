//! Recording decisions in the event log.

use async_trait::async_trait;
use domain::EventSourced;
use domain::ids::TenantId;
use uuid::Uuid;

use crate::context::RequestContext;
use crate::error::{CommandError, PortError};

/// A place in the log's global order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The transaction that wrote the event.
    pub tx: u64,
    /// The event's number.
    pub position: i64,
}

/// What a command caused.
#[derive(Debug, Clone)]
pub struct Recorded<E> {
    /// The place of the last new event; none where the command changed nothing.
    pub position: Option<LogPosition>,
    /// The new events.
    pub events: Vec<E>,
}

/// Loading one kind of aggregate and recording what commands cause.
#[async_trait]
pub trait Commands<A: EventSourced>: Send + Sync {
    /// Loads the aggregate, asks it, and records the events that it answers with, all or none.
    ///
    /// A race that others won is decided anew on the newer state, a few times. An aggregate of another tenant than
    /// the context's answers like one that is not there.
    async fn execute(
        &self,
        context: &RequestContext,
        id: Uuid,
        command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>>;

    /// The aggregate as it is now; its default where it does not exist.
    async fn load(&self, id: Uuid) -> Result<A, PortError>;
}

/// Questions about the log itself.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// How many events a tenant has.
    async fn count(&self, tenant: TenantId) -> Result<u64, PortError>;
}
