use chrono::{DateTime, Utc};

use super::{Current, JobRun, JobRunCommand, JobRunError, JobRunEvent, StartRun, Step};

impl JobRun {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: JobRunCommand) -> Result<Vec<JobRunEvent>, JobRunError> {
        match command {
            JobRunCommand::Start(run) => self.start(run),
            JobRunCommand::Begin { step, worker, at } => self.active()?.begin(step, worker, at),
            JobRunCommand::Dispatch(attempt) => self.active()?.dispatch(attempt),
            JobRunCommand::Meter(metered) => self.meter(metered),
            JobRunCommand::Complete { attempt, output } => self.complete(attempt, output),
            JobRunCommand::Fail { attempt, failure, jitter } => self.active()?.fail(attempt, failure, jitter),
            JobRunCommand::LeaveUncertain(attempt) => self.active()?.leave_uncertain(attempt),
            JobRunCommand::Abandon(attempt) => self.active()?.abandon(attempt),
            JobRunCommand::Cancel { at } => self.cancel(at),
            JobRunCommand::Resend { at } => self.resend(at),
        }
    }

    fn start(&self, new: StartRun) -> Result<Vec<JobRunEvent>, JobRunError> {
        let StartRun { run_id, tenant_id, kind, period, day, config, policy, at } = new;
        match self.run() {
            Some(run) if run.tenant_id == tenant_id && run.period == period => Ok(Vec::new()),
            Some(_) => Err(JobRunError::AlreadyStarted),
            None => Ok(vec![JobRunEvent::RunStarted { run_id, tenant_id, kind, period, day, config, policy, at }]),
        }
    }

    fn cancel(&self, at: DateTime<Utc>) -> Result<Vec<JobRunEvent>, JobRunError> {
        match self {
            Self::Absent => Err(JobRunError::NotFound),
            Self::Cancelled(_) => Ok(Vec::new()),
            Self::Completed(_) | Self::Failed(_) => Err(JobRunError::AlreadyOver),
            Self::Active(run) => Ok(run.cancel(at)),
        }
    }

    fn resend(&self, at: DateTime<Utc>) -> Result<Vec<JobRunEvent>, JobRunError> {
        match self {
            Self::Absent => Err(JobRunError::NotFound),
            Self::Completed(run) if run.current == Current::Uncertain => Ok(run.reopen(at)),
            Self::Failed(run) if run.step == Step::Notify => Ok(run.reopen(at)),
            _ => Err(JobRunError::NothingToResend),
        }
    }
}
