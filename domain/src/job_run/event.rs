use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{AiCalls, Failure, RetryPolicy, Step, StepOutput};
use crate::ids::{AttemptId, RunId, TenantId};
use crate::integration::IntegrationKind;
use crate::money::Cost;
use crate::period::{DayBorder, Period};
use crate::report::ReportKind;

/// Which version of an integration's configuration was in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    /// The integration.
    pub kind: IntegrationKind,
    /// Its version.
    pub version: u32,
}

/// What happened to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum JobRunEvent {
    RunStarted {
        run_id: RunId,
        tenant_id: TenantId,
        kind: ReportKind,
        period: Period,
        day: DayBorder,
        config: Vec<ConfigVersion>,
        policy: RetryPolicy,
        at: DateTime<Utc>,
    },
    StepStarted {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        /// Counts the attempts at this step from 1.
        number: u32,
        worker: String,
        at: DateTime<Utc>,
    },
    StepDispatched {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        at: DateTime<Utc>,
    },
    /// What the AI was asked for the run, over all attempts so far.
    AiUsed {
        run_id: RunId,
        tenant_id: TenantId,
        attempt_id: AttemptId,
        prompt_version: u32,
        model: String,
        total: AiCalls,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
        at: DateTime<Utc>,
    },
    StepCompleted {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        output: StepOutput,
        at: DateTime<Utc>,
    },
    StepFailed {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        failure: Failure,
        /// When the next attempt may begin; none where this failure is final.
        retry_at: Option<DateTime<Utc>>,
        at: DateTime<Utc>,
    },
    StepLost {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        at: DateTime<Utc>,
    },
    StepUncertain {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        attempt_id: AttemptId,
        at: DateTime<Utc>,
    },
    NotificationReopened {
        run_id: RunId,
        tenant_id: TenantId,
        at: DateTime<Utc>,
    },
    RunCompleted {
        run_id: RunId,
        tenant_id: TenantId,
        at: DateTime<Utc>,
    },
    RunFailed {
        run_id: RunId,
        tenant_id: TenantId,
        step: Step,
        failure: Failure,
        at: DateTime<Utc>,
    },
    RunCancelled {
        run_id: RunId,
        tenant_id: TenantId,
        at: DateTime<Utc>,
    },
}

domain_events!(JobRunEvent {
    RunStarted = "1",
    StepStarted = "1",
    StepDispatched = "1",
    AiUsed = "1",
    StepCompleted = "1",
    StepFailed = "1",
    StepLost = "1",
    StepUncertain = "1",
    NotificationReopened = "1",
    RunCompleted = "1",
    RunFailed = "1",
    RunCancelled = "1",
});
