//! Where the projections stand, for those who watch over the system.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::commands::LogPosition;
use crate::error::PortError;

/// Where one projection stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// The last event that it has passed.
    pub position: LogPosition,
    /// Events of the log after that, at most [`Standing::MOST_COUNTED`].
    pub behind: u64,
    /// The age of the oldest of them, in seconds; 0 where there is none.
    pub behind_seconds: f64,
    /// Events that it passes in a second, averaged over about the last minute.
    pub events_per_second: f64,
    /// Events that it could not apply, and those that wait behind them.
    pub parked: u64,
    /// Who feeds it; none where nobody does now.
    pub lease: Option<Lease>,
}

impl Standing {
    /// More events than this are not counted, so that asking costs the same however long the log is.
    pub const MOST_COUNTED: u64 = 10_000;
}

/// The right to feed a projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub holder: Uuid,
    /// Until when, unless it is renewed; by the database's clock.
    pub until: DateTime<Utc>,
}

/// Where the projections stand.
#[async_trait]
pub trait Standings: Send + Sync {
    /// All of them, in the order of the program.
    async fn standings(&self) -> Result<Vec<Standing>, PortError>;
}
