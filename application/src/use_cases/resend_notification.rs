//! Sending a run's notification again, by a person's decision.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, Expect};
use crate::use_cases::RunOutcome;

/// Reopens the last step of runs whose notification is uncertain or failed.
pub struct ResendNotification {
    /// The log.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ResendNotification {
    /// Sends the notification again.
    ///
    /// # Errors
    /// `conflict` where the notification arrived or is still on its way, or the run has changed since the version that
    /// is expected.
    pub async fn resend(&self, context: &RequestContext, id: RunId, expect: Expect) -> Result<RunOutcome, AppError> {
        let scope = context.authorize(Permission::RunsStart)?;
        let resend = JobRunCommand::Resend { at: self.clock.now() };
        Ok(self.runs.execute_expecting(scope.context(), id.uuid(), expect, resend).await?.into())
    }
}
