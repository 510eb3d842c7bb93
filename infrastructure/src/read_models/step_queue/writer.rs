use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::ids::{AttemptId, RunId, TenantId};
use domain::job_run::{JobRun, JobRunEvent, Step};
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Set};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `step_queue`.
pub struct StepQueueProjection;

impl StepQueueProjection {
    /// Its frozen name.
    pub const NAME: &'static str = "step_queue";
}

#[async_trait]
impl Projection for StepQueueProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(JobRun::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "step_queue", tenant: "tenant_id", aggregate: Some("run_id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

/// A run's step in turn, and who is at it.
struct InTurn {
    run_id: RunId,
    tenant_id: TenantId,
    step: Step,
    ready_at: DateTime<Utc>,
    running: Option<(AttemptId, Option<Uuid>)>,
}

async fn write(transaction: &DatabaseTransaction, event: JobRunEvent) -> Result<(), DbErr> {
    let waiting = |run_id, tenant_id, step, ready_at| InTurn { run_id, tenant_id, step, ready_at, running: None };
    let in_turn = match event {
        JobRunEvent::RunStarted { run_id, tenant_id, at, .. } => waiting(run_id, tenant_id, Step::FetchDeals, at),
        JobRunEvent::StepStarted { run_id, tenant_id, step, attempt_id, worker, at, .. } => {
            let running = Some((attempt_id, Uuid::parse_str(&worker).ok()));
            InTurn { run_id, tenant_id, step, ready_at: at, running }
        }
        JobRunEvent::StepCompleted { run_id, tenant_id, step, at, .. } => match step.next() {
            Some(next) => waiting(run_id, tenant_id, next, at),
            None => return remove(transaction, run_id).await,
        },
        JobRunEvent::StepFailed { run_id, tenant_id, step, retry_at, at, .. } => {
            waiting(run_id, tenant_id, step, retry_at.unwrap_or(at))
        }
        JobRunEvent::StepLost { run_id, tenant_id, step, at, .. } => waiting(run_id, tenant_id, step, at),
        JobRunEvent::NotificationReopened { run_id, tenant_id, at } => waiting(run_id, tenant_id, Step::Notify, at),
        JobRunEvent::StepDispatched { .. } | JobRunEvent::AiUsed { .. } => return Ok(()),
        JobRunEvent::StepUncertain { run_id, .. }
        | JobRunEvent::RunCompleted { run_id, .. }
        | JobRunEvent::RunFailed { run_id, .. }
        | JobRunEvent::RunCancelled { run_id, .. } => return remove(transaction, run_id).await,
    };
    put(transaction, in_turn).await
}

async fn put(transaction: &DatabaseTransaction, in_turn: InTurn) -> Result<(), DbErr> {
    let InTurn { run_id, tenant_id, step, ready_at, running } = in_turn;
    let row = ActiveModel {
        run_id: Set(run_id.uuid()),
        tenant_id: Set(tenant_id.uuid()),
        step: Set(step.name().into()),
        state: Set(if running.is_some() { "running" } else { "waiting" }.into()),
        ready_at: Set(ready_at),
        attempt_id: Set(running.map(|(attempt, _)| attempt.uuid())),
        worker: Set(running.and_then(|(_, worker)| worker)),
    };
    let columns = [Column::Step, Column::State, Column::ReadyAt, Column::AttemptId, Column::Worker];
    let replace = OnConflict::column(Column::RunId).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
    Ok(())
}

async fn remove(transaction: &DatabaseTransaction, run_id: RunId) -> Result<(), DbErr> {
    Entity::delete_by_id(run_id.uuid()).exec(transaction).await?;
    Ok(())
}
