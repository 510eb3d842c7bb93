use chrono::{DateTime, Utc};

use super::{ConfigVersion, Failure, Metered, RetryPolicy, Step, StepOutput};
use crate::ids::{AttemptId, RunId, TenantId};
use crate::period::{DayBorder, Period};
use crate::report::ReportKind;

/// What can be asked of a run.
#[derive(Debug, Clone)]
pub enum JobRunCommand {
    /// Start it.
    Start(StartRun),
    /// Begin an attempt at the current step.
    Begin {
        /// The step that the worker believes to be current.
        step: Step,
        /// Which worker process.
        worker: String,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that an effect which cannot be deduplicated is about to happen.
    Dispatch(Attempt),
    /// Record what an attempt asked the AI.
    Meter(Metered),
    /// The attempt did its work.
    Complete {
        /// The attempt.
        attempt: Attempt,
        /// What it leaves behind.
        output: StepOutput,
    },
    /// The attempt failed.
    Fail {
        /// The attempt.
        attempt: Attempt,
        /// Why.
        failure: Failure,
        /// Random, 0 to 1; spreads retries.
        jitter: f64,
    },
    /// The attempt's effect may or may not have happened.
    LeaveUncertain(Attempt),
    /// The attempt's worker is dead.
    Abandon(Attempt),
    /// Stop for good.
    Cancel {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Send the notification again.
    Resend {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// An attempt that something happened to.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Which one.
    pub attempt_id: AttemptId,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A new run.
#[derive(Debug, Clone)]
pub struct StartRun {
    /// Its id.
    pub run_id: RunId,
    /// The owner.
    pub tenant_id: TenantId,
    /// What period its report is about.
    pub kind: ReportKind,
    /// The time it covers.
    pub period: Period,
    /// What the tenant calls a day.
    pub day: DayBorder,
    /// The configurations in force.
    pub config: Vec<ConfigVersion>,
    /// How it deals with transient failures.
    pub policy: RetryPolicy,
    /// Now.
    pub at: DateTime<Utc>,
}
