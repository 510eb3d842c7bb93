//! No run goes on whose tenant is kept out.
//!
//! A process manager without a memory of its own: it asks the read models which runs are under way in tenants that are kept
//! out, and cancels each. What it has done it sees in the same tables, so it can be killed at any point, and several processes
//! do it side by side. A run that began while its tenant was being suspended is found once both events have arrived.

use std::sync::Arc;
use std::time::Duration;

use domain::job_run::{JobRun, JobRunCommand};

use crate::context::RequestContext;
use crate::error::{CommandError, PortError, chain};
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::queue::{QueuedRun, StepQueue};

/// The name under which it acts in the log.
const ACTOR: &str = "run_stopper";

/// How often it looks without a hint.
const POLL: Duration = Duration::from_millis(500);

/// Least time between two looks, however many hints there are.
const BREATH: Duration = Duration::from_millis(100);

/// Cancels the runs of tenants that are kept out.
pub struct RunStopper {
    /// The log of runs.
    pub runs: Arc<dyn Commands<JobRun>>,
    /// Which runs are under way.
    pub queue: Arc<dyn StepQueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl RunStopper {
    /// Looks again and again, for as long as it is polled.
    pub async fn run(&self) {
        let mut hints = self.queue.hints();
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(error = chain(&error), "runs of tenants that are kept out could not be stopped");
            }
            tokio::time::sleep(BREATH).await;
            tokio::select! {
                () = hints.next() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Cancels what the read models show at this moment. One run that cannot be cancelled does not hold up the others.
    ///
    /// # Errors
    /// The first failure of the log or of the queue.
    pub async fn look(&self) -> Result<(), PortError> {
        let mut done = Ok(());
        for run in self.queue.kept_out().await? {
            done = done.and(self.stop(run).await);
        }
        done
    }

    /// Cancelling twice records nothing, and so does cancelling a run that is over.
    async fn stop(&self, QueuedRun { tenant_id, run_id }: QueuedRun) -> Result<(), PortError> {
        let context = RequestContext::for_system(ACTOR, tenant_id, self.ids.next(), run_id.uuid());
        let context = context.caused_by(tenant_id.uuid());
        match self.runs.execute(&context, run_id.uuid(), JobRunCommand::Cancel { at: self.clock.now() }).await {
            Ok(_) => {
                tracing::info!(run = %run_id, tenant = %tenant_id, "the run is stopped: its tenant is kept out");
                Ok(())
            }
            Err(CommandError::Log(error)) => Err(error),
            Err(error) => {
                tracing::debug!(run = %run_id, %error, "the run has ended by itself");
                Ok(())
            }
        }
    }
}
