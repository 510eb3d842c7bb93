use domain::ids::RunId;
use domain::job_run::JobRunEvent;

use crate::ports::commands::{LogPosition, Recorded};

/// What became of a request about a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOutcome {
    /// The run.
    pub run_id: RunId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

impl From<Recorded<JobRunEvent>> for RunOutcome {
    fn from(recorded: Recorded<JobRunEvent>) -> Self {
        Self { run_id: RunId::from(recorded.id), position: recorded.position, replayed: recorded.replayed }
    }
}
