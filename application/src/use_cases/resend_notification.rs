//! Sending a run's notification again, by a person's decision.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

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
    /// `conflict` where the notification arrived or is still on its way.
    pub async fn resend(&self, context: &RequestContext, id: RunId) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::RunsStart)?;
        let resend = JobRunCommand::Resend { at: self.clock.now() };
        Ok(self.runs.execute(scope.context(), id.uuid(), resend).await?.position)
    }
}
