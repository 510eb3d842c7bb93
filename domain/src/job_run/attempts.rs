//! The rules of attempts at a step.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Attempt, Current, Failure, FailureClass, JobRun, JobRunError, JobRunEvent, Run, Step, StepOutput};
use crate::ids::AttemptId;

impl JobRun {
    pub(super) fn active(&self) -> Result<&Run, JobRunError> {
        match self {
            Self::Active(run) => Ok(run),
            Self::Absent => Err(JobRunError::NotFound),
            Self::Cancelled(_) => Err(JobRunError::Cancelled),
            Self::Completed(_) | Self::Failed(_) => Err(JobRunError::AlreadyOver),
        }
    }

    /// A completion that was recorded already is no error: its answer was lost, not its effect.
    pub(super) fn complete(&self, attempt: Attempt, output: StepOutput) -> Result<Vec<JobRunEvent>, JobRunError> {
        let recorded = |run: &Run| run.done.values().any(|(attempt_id, _)| *attempt_id == attempt.attempt_id);
        if self.run().is_some_and(recorded) {
            return Ok(Vec::new());
        }
        self.active()?.complete(attempt, output)
    }
}

impl Run {
    pub(super) fn begin(&self, step: Step, worker: String, at: DateTime<Utc>) -> Result<Vec<JobRunEvent>, JobRunError> {
        match self.current {
            Current::Waiting { not_before } if step == self.step && not_before <= at => {
                let number = self.begun + 1;
                let attempt_id = AttemptId::of(self.run_id, step, number);
                let (run_id, tenant_id) = (self.run_id, self.tenant_id);
                Ok(vec![JobRunEvent::StepStarted { run_id, tenant_id, step, attempt_id, number, worker, at }])
            }
            _ => Err(JobRunError::NotDue),
        }
    }

    pub(super) fn dispatch(&self, attempt: Attempt) -> Result<Vec<JobRunEvent>, JobRunError> {
        self.in_progress(attempt)?;
        let Attempt { attempt_id, at } = attempt;
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        Ok(vec![JobRunEvent::StepDispatched { run_id, tenant_id, step, attempt_id, at }])
    }

    fn complete(&self, attempt: Attempt, output: StepOutput) -> Result<Vec<JobRunEvent>, JobRunError> {
        self.in_progress(attempt)?;
        let Attempt { attempt_id, at } = attempt;
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        let mut events = vec![JobRunEvent::StepCompleted { run_id, tenant_id, step, attempt_id, output, at }];
        if step.next().is_none() {
            events.push(JobRunEvent::RunCompleted { run_id, tenant_id, at });
        }
        Ok(events)
    }

    pub(super) fn fail(
        &self,
        attempt: Attempt,
        failure: Failure,
        jitter: f64,
    ) -> Result<Vec<JobRunEvent>, JobRunError> {
        self.in_progress(attempt)?;
        let Attempt { attempt_id, at } = attempt;
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        let wait = self.policy.wait(self.failed + 1, &failure, jitter);
        let retry_at = wait.map(|wait| at + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX));
        let failed = failure.clone();
        let mut events =
            vec![JobRunEvent::StepFailed { run_id, tenant_id, step, attempt_id, failure: failed, retry_at, at }];
        if retry_at.is_none() {
            events.push(JobRunEvent::RunFailed { run_id, tenant_id, step, failure, at });
        }
        Ok(events)
    }

    /// The report is there; only whether its notification arrived is not known. So the run is complete.
    pub(super) fn leave_uncertain(&self, attempt: Attempt) -> Result<Vec<JobRunEvent>, JobRunError> {
        self.in_progress(attempt)?;
        let Attempt { attempt_id, at } = attempt;
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        Ok(vec![
            JobRunEvent::StepUncertain { run_id, tenant_id, step, attempt_id, at },
            JobRunEvent::RunCompleted { run_id, tenant_id, at },
        ])
    }

    pub(super) fn abandon(&self, attempt: Attempt) -> Result<Vec<JobRunEvent>, JobRunError> {
        let dispatched = self.in_progress(attempt)?;
        if dispatched {
            return self.leave_uncertain(attempt);
        }
        let Attempt { attempt_id, at } = attempt;
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        let mut events = vec![JobRunEvent::StepLost { run_id, tenant_id, step, attempt_id, at }];
        if self.lost + 1 >= self.policy.max_lost {
            let failure = Failure {
                class: FailureClass::Permanent,
                message: format!("the worker stopped {} times while it was at this step", self.lost + 1),
                advice: "Tell support: the step may need more memory than the worker has.".into(),
                retry_after_ms: None,
            };
            events.push(JobRunEvent::RunFailed { run_id, tenant_id, step, failure, at });
        }
        Ok(events)
    }

    /// A step in progress stops; if its effect was dispatched, whether it happened is not known.
    pub(super) fn cancel(&self, at: DateTime<Utc>) -> Vec<JobRunEvent> {
        let (run_id, tenant_id, step) = (self.run_id, self.tenant_id, self.step);
        let uncertain = match self.current {
            Current::Running { attempt_id, dispatched: true } => {
                Some(JobRunEvent::StepUncertain { run_id, tenant_id, step, attempt_id, at })
            }
            _ => None,
        };
        uncertain.into_iter().chain([JobRunEvent::RunCancelled { run_id, tenant_id, at }]).collect()
    }

    pub(super) fn reopen(&self, at: DateTime<Utc>) -> Vec<JobRunEvent> {
        vec![JobRunEvent::NotificationReopened { run_id: self.run_id, tenant_id: self.tenant_id, at }]
    }

    /// Whether the attempt in progress, which must be this one, was dispatched.
    fn in_progress(&self, attempt: Attempt) -> Result<bool, JobRunError> {
        match self.current {
            Current::Running { attempt_id, dispatched } if attempt_id == attempt.attempt_id => Ok(dispatched),
            _ => Err(JobRunError::Superseded),
        }
    }
}
