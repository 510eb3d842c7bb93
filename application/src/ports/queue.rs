//! The queue of steps. The log decides what is due; this finds it and shares it out.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{AttemptId, RunId, TenantId};
use domain::job_run::Step;
use uuid::Uuid;

use crate::error::PortError;
use crate::ports::commands::LogPosition;

/// A worker process. A new process of the same `name` proves that the one before it is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerIdentity {
    /// This process.
    pub id: Uuid,
    /// The place it runs in, held by at most one living process; none where nothing guards that.
    pub name: Option<String>,
}

/// A step that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueStep {
    /// The owner.
    pub tenant_id: TenantId,
    /// The run.
    pub run_id: RunId,
    /// Its step in turn.
    pub step: Step,
}

/// A run that has a step to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedRun {
    /// The owner.
    pub tenant_id: TenantId,
    /// The run.
    pub run_id: RunId,
}

/// An attempt that nobody works at any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbandonedAttempt {
    /// The owner.
    pub tenant_id: TenantId,
    /// The run.
    pub run_id: RunId,
    /// The attempt.
    pub attempt_id: AttemptId,
}

/// How many steps a claim may take.
#[derive(Debug, Clone, Copy)]
pub struct ClaimLimits {
    /// In this claim.
    pub steps: usize,
    /// In progress per tenant, over all workers; a tenant with many runs does not delay another's one.
    pub per_tenant: usize,
    /// Of this tenant only; of all where absent.
    pub tenant: Option<TenantId>,
}

/// Sharing out due steps among workers.
#[async_trait]
pub trait StepQueue: Send + Sync {
    /// Announces that the worker lives until `until`. Its first beat ends the lives of earlier ones of its name.
    async fn beat(&self, worker: &WorkerIdentity, until: DateTime<Utc>) -> Result<(), PortError>;

    /// Claims due steps for the worker until `until`, fairly among tenants.
    async fn claim(
        &self,
        worker: &WorkerIdentity,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limits: ClaimLimits,
    ) -> Result<Vec<DueStep>, PortError>;

    /// Gives a claim back, once the queue has seen the position (bounded), so that the same step is not claimed again.
    async fn release(&self, worker: &WorkerIdentity, run: RunId, after: Option<LogPosition>) -> Result<(), PortError>;

    /// Attempts in progress whose worker's life is over, of one tenant or of all.
    async fn abandoned(&self, now: DateTime<Utc>, tenant: Option<TenantId>)
    -> Result<Vec<AbandonedAttempt>, PortError>;

    /// What the queue shows as in progress at this worker.
    async fn in_progress_at(&self, worker: &WorkerIdentity) -> Result<Vec<AbandonedAttempt>, PortError>;

    /// Runs in the queue whose tenant is kept out: suspended, being offboarded, or closed. Those at the front at most.
    async fn kept_out(&self) -> Result<Vec<QueuedRun>, PortError>;

    /// Hints from now on that something new may be due.
    fn hints(&self) -> Box<dyn Hints>;
}

/// Hints, also those that come while nobody waits. Whoever waits looks anyway after its own interval.
#[async_trait]
pub trait Hints: Send {
    /// Waits for the next hint.
    async fn next(&mut self);
}
