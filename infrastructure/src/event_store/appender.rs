//! The one place through which all commits of a process go. Coalescing concurrent commits belongs here.

use crate::database::{Database, Mode};
use crate::event_store::append::{AppendError, Appended, Commit, append};
use crate::signals::{CHANNEL, Signal};

/// Appends commits and hints that the log has grown.
#[derive(Clone)]
pub struct Appender {
    database: Database,
    log: Signal,
}

impl Appender {
    /// An appender that hints through `log`.
    pub fn new(database: Database, log: Signal) -> Self {
        Self { database, log }
    }

    /// Records all of the commit or nothing.
    pub async fn append(&self, commit: &Commit) -> Result<Appended, AppendError> {
        let channel = match self.database.mode() {
            Mode::Server => Some(CHANNEL),
            Mode::Embedded => None,
        };
        let appended = append(self.database.pool(), commit, channel).await?;
        self.log.notify();
        Ok(appended)
    }
}
