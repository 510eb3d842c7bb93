//! Stopping a run for good.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, Expect};
use crate::use_cases::RunOutcome;

/// Cancels runs.
pub struct CancelRun {
    /// The log.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl CancelRun {
    /// Stops the run; a step in progress is told within a second. Cancelling twice changes nothing.
    ///
    /// # Errors
    /// `conflict` where the run is over, or has changed since the version that is expected.
    pub async fn cancel(&self, context: &RequestContext, id: RunId, expect: Expect) -> Result<RunOutcome, AppError> {
        let scope = context.authorize(Permission::RunsStart)?;
        let cancel = JobRunCommand::Cancel { at: self.clock.now() };
        Ok(self.runs.execute_expecting(scope.context(), id.uuid(), expect, cancel).await?.into())
    }
}
