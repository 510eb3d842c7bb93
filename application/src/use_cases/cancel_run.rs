//! Stopping a run for good.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// Cancels runs.
pub struct CancelRun {
    /// The log.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl CancelRun {
    /// Stops the run; a step in progress is told within a second. Cancelling twice changes nothing.
    pub async fn cancel(&self, context: &RequestContext, id: RunId) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::RunsStart)?;
        let cancel = JobRunCommand::Cancel { at: self.clock.now() };
        Ok(self.runs.execute(scope.context(), id.uuid(), cancel).await?.position)
    }
}
