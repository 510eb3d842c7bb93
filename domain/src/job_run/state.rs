use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AiUse, JobRunEvent, RetryPolicy, Step, StepOutput};
use crate::ids::{AttemptId, RunId, TenantId};
use crate::period::{DayBorder, Period};
use crate::report::ReportKind;

/// The situations of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum JobRun {
    /// Never started.
    #[default]
    Absent,
    /// A step is waiting or in progress.
    Active(Run),
    /// All steps are done; the notification may be uncertain.
    Completed(Run),
    /// A step failed for good.
    Failed(Run),
    /// Someone stopped it.
    Cancelled(Run),
}

/// What is known of a run from its first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
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
    /// How it deals with transient failures.
    pub policy: RetryPolicy,
    /// What the completed steps left behind, and which attempt completed them.
    pub done: BTreeMap<Step, (AttemptId, StepOutput)>,
    /// What the AI did for it so far; none before its first answer.
    #[serde(default)]
    pub ai: Option<AiUse>,
    /// The attempts whose calls of the AI are recorded.
    #[serde(default)]
    pub metered: Vec<AttemptId>,
    /// The step in turn.
    pub step: Step,
    /// Attempts begun at that step.
    pub begun: u32,
    /// Failed ones among them.
    pub failed: u32,
    /// Ones lost to dying workers among them.
    pub lost: u32,
    /// Where that step stands.
    pub current: Current,
}

/// Where the step in turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Current {
    /// An attempt may begin from this time on.
    Waiting {
        /// From when.
        not_before: DateTime<Utc>,
    },
    /// An attempt is in progress.
    Running {
        /// Which one.
        attempt_id: AttemptId,
        /// Whether an effect that cannot be deduplicated may have happened.
        dispatched: bool,
    },
    /// The last attempt's effect may or may not have happened.
    Uncertain,
    /// No more attempts.
    Over,
}

impl JobRun {
    /// The run, in every situation but `Absent`.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Absent => None,
            Self::Active(run) | Self::Completed(run) | Self::Failed(run) | Self::Cancelled(run) => Some(run),
        }
    }

    fn into_run(self) -> Option<Run> {
        match self {
            Self::Absent => None,
            Self::Active(run) | Self::Completed(run) | Self::Failed(run) | Self::Cancelled(run) => Some(run),
        }
    }

    /// The run changed, and its situation kept.
    fn map(self, change: impl FnOnce(Run) -> Run) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Active(run) => Self::Active(change(run)),
            Self::Completed(run) => Self::Completed(change(run)),
            Self::Failed(run) => Self::Failed(change(run)),
            Self::Cancelled(run) => Self::Cancelled(change(run)),
        }
    }

    pub(super) fn evolve(self, event: JobRunEvent) -> Self {
        if let JobRunEvent::RunStarted { run_id, tenant_id, kind, period, day, policy, at, .. } = event {
            return Self::Active(Run {
                run_id,
                tenant_id,
                kind,
                period,
                day,
                policy,
                done: BTreeMap::new(),
                ai: None,
                metered: Vec::new(),
                step: Step::FetchDeals,
                begun: 0,
                failed: 0,
                lost: 0,
                current: Current::Waiting { not_before: at },
            });
        }
        if let JobRunEvent::AiUsed { attempt_id, prompt_version, model, total, cost, .. } = event {
            return self.map(|run| run.used_ai(attempt_id, AiUse { prompt_version, model, total, cost }));
        }
        let Some(run) = self.into_run() else { return Self::Absent };
        match event {
            JobRunEvent::RunCompleted { .. } => Self::Completed(run),
            JobRunEvent::RunFailed { .. } => Self::Failed(run.with(Current::Over)),
            JobRunEvent::RunCancelled { .. } => Self::Cancelled(run.with(Current::Over)),
            step_event => Self::Active(run.evolve(step_event)),
        }
    }
}

impl Run {
    fn with(self, current: Current) -> Self {
        Self { current, ..self }
    }

    fn used_ai(mut self, attempt_id: AttemptId, ai: AiUse) -> Self {
        self.ai = Some(ai);
        self.metered.push(attempt_id);
        self
    }

    fn evolve(mut self, event: JobRunEvent) -> Self {
        match event {
            JobRunEvent::StepStarted { attempt_id, number, .. } => {
                self.begun = number;
                self.with(Current::Running { attempt_id, dispatched: false })
            }
            JobRunEvent::StepDispatched { attempt_id, .. } => {
                self.with(Current::Running { attempt_id, dispatched: true })
            }
            JobRunEvent::StepCompleted { step, attempt_id, output, at, .. } => {
                self.done.insert(step, (attempt_id, output));
                match step.next() {
                    Some(next) => self.at_step(next, at),
                    None => self.with(Current::Over),
                }
            }
            JobRunEvent::StepFailed { retry_at, at, .. } => {
                self.failed += 1;
                self.with(Current::Waiting { not_before: retry_at.unwrap_or(at) })
            }
            JobRunEvent::StepLost { at, .. } => {
                self.lost += 1;
                self.with(Current::Waiting { not_before: at })
            }
            JobRunEvent::StepUncertain { .. } => self.with(Current::Uncertain),
            JobRunEvent::NotificationReopened { at, .. } => {
                self.failed = 0;
                self.lost = 0;
                self.with(Current::Waiting { not_before: at })
            }
            JobRunEvent::RunStarted { .. }
            | JobRunEvent::AiUsed { .. }
            | JobRunEvent::RunCompleted { .. }
            | JobRunEvent::RunFailed { .. }
            | JobRunEvent::RunCancelled { .. } => self,
        }
    }

    fn at_step(self, step: Step, at: DateTime<Utc>) -> Self {
        Self { step, begun: 0, failed: 0, lost: 0, current: Current::Waiting { not_before: at }, ..self }
    }
}
