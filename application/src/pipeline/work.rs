//! What a step has at hand while it works.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ids::{AttemptId, TenantId};
use domain::integration::IntegrationKind;
use domain::job_run::{Attempt, Failure, FailureClass, JobRunCommand, Metered, Run, Step, StepOutput};
use domain::tenant::TenantDetails;
use domain::values::ContentHash;

use super::Pipeline;
use super::analysis::{Meter, Terms};
use crate::context::RequestContext;
use crate::error::PortError;
use crate::ports::services::{Account, Delivery, UpstreamError};

/// Why a step did not do its work.
#[derive(Debug)]
pub(super) enum StepError {
    /// It failed, in words for the tenant's user.
    Failed(Failure),
    /// Its effect may or may not have happened; why, for the log.
    Uncertain(String),
    /// A part of Synkro itself failed.
    System(PortError),
}

impl StepError {
    /// A failure that no retry mends.
    pub(super) fn permanent(message: impl Into<String>, advice: impl Into<String>) -> Self {
        let (message, advice) = (message.into(), advice.into());
        Self::Failed(Failure { class: FailureClass::Permanent, message, advice, retry_after_ms: None })
    }
}

impl From<PortError> for StepError {
    fn from(error: PortError) -> Self {
        Self::System(error)
    }
}

impl From<UpstreamError> for StepError {
    fn from(error: UpstreamError) -> Self {
        let milliseconds = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self::Failed(Failure {
            class: error.class,
            message: error.to_string(),
            retry_after_ms: error.retry_after.map(milliseconds),
            advice: error.advice,
        })
    }
}

/// An attempt in progress.
pub(super) struct Work<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) run: &'a Run,
    pub(super) tenant: TenantDetails,
    pub(super) meter: Meter,
    context: &'a RequestContext,
    attempt_id: AttemptId,
    dispatched: AtomicBool,
}

impl<'a> Work<'a> {
    pub(super) async fn new(
        pipeline: &'a Pipeline,
        context: &'a RequestContext,
        run: &'a Run,
        attempt_id: AttemptId,
    ) -> Result<Self, PortError> {
        let tenant = pipeline.tenants.load(run.tenant_id.uuid()).await?;
        let missing = || PortError::internal(format!("run {} belongs to no tenant", run.run_id));
        let tenant = tenant.details().cloned().ok_or_else(missing)?;
        let meter = Meter::of_attempt(run, attempt_id);
        Ok(Self { pipeline, run, tenant, meter, context, attempt_id, dispatched: AtomicBool::new(false) })
    }

    pub(super) fn tenant_id(&self) -> TenantId {
        self.run.tenant_id
    }

    pub(super) fn context(&self) -> &RequestContext {
        self.context
    }

    /// The tenant's account at a service, by the settings in force now.
    pub(super) async fn account(&self, kind: IntegrationKind) -> Result<Account, StepError> {
        Ok(self.pipeline.accounts.open(self.tenant_id(), kind).await??)
    }

    /// What an earlier step left behind.
    pub(super) fn output(&self, step: Step) -> Result<&StepOutput, StepError> {
        let missing = || PortError::internal(format!("{} has no output of {}", self.run.run_id, step.name()));
        Ok(self.run.done.get(&step).map(|(_, output)| output).ok_or_else(missing)?)
    }

    /// The name of the data that an earlier step staged.
    pub(super) fn staged(&self, step: Step) -> Result<&ContentHash, StepError> {
        let missing = || PortError::internal(format!("{} staged nothing for {}", step.name(), self.run.run_id));
        Ok(self.output(step)?.staged.as_ref().ok_or_else(missing)?)
    }

    /// Records that the effect is about to happen. From here on a cut leaves the attempt uncertain.
    pub(super) async fn dispatch(&self) -> Result<(), StepError> {
        let attempt = Attempt { attempt_id: self.attempt_id, at: self.pipeline.clock.now() };
        let command = JobRunCommand::Dispatch(attempt);
        match self.pipeline.runs.execute(self.context, self.run.run_id.uuid(), command).await {
            Ok(_) => {
                self.dispatched.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(StepError::System(PortError::Unavailable(Box::new(error)))),
        }
    }

    /// What the AI was asked, where there is something to record: a call that was answered, or all of them.
    pub(super) fn metered(&self, done: bool) -> Option<JobRunCommand> {
        let Terms { prompt_version, model, price } = self.meter.terms()?;
        let calls = self.meter.total();
        let (attempt_id, at) = (self.attempt_id, self.pipeline.clock.now());
        let metered = Metered { attempt_id, prompt_version, model, calls, price, at };
        (done || calls.calls > 0).then_some(JobRunCommand::Meter(metered))
    }

    pub(super) fn dispatched(&self) -> bool {
        self.dispatched.load(Ordering::Relaxed)
    }

    /// A failed dispatch: certain where the service says so, else uncertain.
    pub(super) fn undelivered(error: UpstreamError) -> StepError {
        match error.delivery {
            Delivery::NotDelivered => error.into(),
            Delivery::Unknown => StepError::Uncertain(error.to_string()),
        }
    }
}

/// The data between two steps is gone: its time to live is over.
pub(super) fn expired() -> StepError {
    StepError::permanent(
        "the data that was fetched for this run is no longer kept",
        "Start a new run for the same period.",
    )
}
