use std::collections::HashMap;

use application::ports::read_models::{RunStatus, StepStatus};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::ids::{RunId, TenantId};
use domain::job_run::{AiUse, Failure, JobRun, JobRunEvent, Step};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, Set, Statement,
};

use super::{run_entity, step_entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::{to_json, to_text};

/// Keeps the tables `runs` and `run_steps`.
pub struct RunsProjection;

impl RunsProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "runs";
}

#[async_trait]
impl Projection for RunsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(JobRun::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[
            Table { name: "runs", tenant: "tenant_id", aggregate: Some("id") },
            Table { name: "run_steps", tenant: "tenant_id", aggregate: Some("run_id") },
        ]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(versions(transaction, events).await?)
    }
}

type StepChange = Vec<(step_entity::Column, SimpleExpr)>;

async fn write(transaction: &DatabaseTransaction, event: JobRunEvent) -> Result<(), DbErr> {
    match event {
        JobRunEvent::RunStarted { .. } => start(transaction, event).await,
        JobRunEvent::StepStarted { run_id, step, number, at, .. } => {
            step_change(transaction, run_id, step, started(number, at)).await
        }
        JobRunEvent::StepDispatched { .. } => Ok(()),
        JobRunEvent::AiUsed { run_id, prompt_version, model, total, cost, .. } => {
            ai_used(transaction, run_id, &AiUse { prompt_version, model, total, cost }).await
        }
        JobRunEvent::StepCompleted { run_id, step, output, at, .. } => {
            let mut change = ended(StepStatus::Completed, at);
            change.push((step_entity::Column::Counts, Expr::value(to_json(&output.counts))));
            change.push((step_entity::Column::Failure, Expr::value(Option::<serde_json::Value>::None)));
            step_change(transaction, run_id, step, change).await
        }
        JobRunEvent::StepFailed { run_id, step, failure, retry_at, at, .. } => {
            let status = if retry_at.is_some() { StepStatus::Waiting } else { StepStatus::Failed };
            step_change(transaction, run_id, step, failed(status, &failure, retry_at, at)).await
        }
        JobRunEvent::StepLost { run_id, step, at, .. } => {
            step_change(transaction, run_id, step, ended(StepStatus::Waiting, at)).await
        }
        JobRunEvent::StepUncertain { run_id, step, at, .. } => {
            step_change(transaction, run_id, step, ended(StepStatus::Uncertain, at)).await
        }
        JobRunEvent::NotificationReopened { run_id, .. } => {
            run_change(transaction, run_id, RunStatus::Running, None).await?;
            step_change(transaction, run_id, Step::Notify, status(StepStatus::Waiting)).await
        }
        JobRunEvent::RunCompleted { run_id, at, .. } => {
            run_change(transaction, run_id, RunStatus::Completed, Some(at)).await
        }
        JobRunEvent::RunFailed { run_id, step, failure, at, .. } => {
            run_change(transaction, run_id, RunStatus::Failed, Some(at)).await?;
            step_change(transaction, run_id, step, failed(StepStatus::Failed, &failure, None, at)).await
        }
        JobRunEvent::RunCancelled { run_id, at, .. } => {
            run_change(transaction, run_id, RunStatus::Cancelled, Some(at)).await?;
            cancel_steps(transaction, run_id).await
        }
    }
}

async fn start(transaction: &DatabaseTransaction, event: JobRunEvent) -> Result<(), DbErr> {
    let JobRunEvent::RunStarted { run_id, tenant_id, kind, period, at, .. } = event else { return Ok(()) };
    let run = run_entity::ActiveModel {
        id: Set(run_id.uuid()),
        tenant_id: Set(tenant_id.uuid()),
        kind: Set(to_text(kind)),
        period_from: Set(period.from),
        period_to: Set(period.to),
        status: Set(RunStatus::Running.name().into()),
        started_at: Set(at),
        finished_at: Set(None),
        version: Set(1),
        ai: Set(None),
    };
    let again = [run_entity::Column::Status, run_entity::Column::FinishedAt];
    let replace = OnConflict::column(run_entity::Column::Id).update_columns(again).to_owned();
    run_entity::Entity::insert(run).on_conflict(replace).exec_without_returning(transaction).await?;
    let steps = Step::ALL.map(|step| waiting_step(run_id, tenant_id, step));
    let key = [step_entity::Column::RunId, step_entity::Column::Number];
    let unchanged = OnConflict::columns(key).do_nothing().to_owned();
    step_entity::Entity::insert_many(steps).on_conflict(unchanged).exec_without_returning(transaction).await?;
    Ok(())
}

fn waiting_step(run_id: RunId, tenant_id: TenantId, step: Step) -> step_entity::ActiveModel {
    step_entity::ActiveModel {
        run_id: Set(run_id.uuid()),
        number: Set(step.number().cast_signed()),
        tenant_id: Set(tenant_id.uuid()),
        step: Set(step.name().into()),
        status: Set(StepStatus::Waiting.name().into()),
        attempts: Set(0),
        started_at: Set(None),
        elapsed_ms: Set(None),
        counts: Set(serde_json::json!({})),
        failure: Set(None),
        retry_at: Set(None),
    }
}

fn status(status: StepStatus) -> StepChange {
    vec![
        (step_entity::Column::Status, Expr::value(status.name())),
        (step_entity::Column::RetryAt, Expr::value(Option::<DateTime<Utc>>::None)),
    ]
}

fn started(number: u32, at: DateTime<Utc>) -> StepChange {
    let mut change = status(StepStatus::Running);
    change.push((step_entity::Column::Attempts, Expr::value(number.cast_signed())));
    change.push((step_entity::Column::StartedAt, Expr::value(at)));
    change.push((step_entity::Column::ElapsedMs, Expr::value(Option::<i64>::None)));
    change
}

fn ended(ended: StepStatus, at: DateTime<Utc>) -> StepChange {
    let mut change = status(ended);
    // Two processes' clocks may differ, and one may be set back: nothing takes less than no time.
    let elapsed = "(extract(epoch from (greatest($1, started_at) - started_at)) * 1000)::bigint";
    let elapsed = Expr::cust_with_values(elapsed, [at]);
    change.push((step_entity::Column::ElapsedMs, elapsed));
    change
}

fn failed(status: StepStatus, failure: &Failure, retry_at: Option<DateTime<Utc>>, at: DateTime<Utc>) -> StepChange {
    let mut change = ended(status, at);
    change.retain(|(column, _)| !matches!(column, step_entity::Column::RetryAt));
    change.push((step_entity::Column::RetryAt, Expr::value(retry_at)));
    change.push((step_entity::Column::Failure, Expr::value(to_json(failure))));
    change
}

async fn step_change(
    transaction: &DatabaseTransaction,
    run_id: RunId,
    step: Step,
    change: StepChange,
) -> Result<(), DbErr> {
    let update = change
        .into_iter()
        .fold(step_entity::Entity::update_many(), |update, (column, value)| update.col_expr(column, value));
    update
        .filter(step_entity::Column::RunId.eq(run_id.uuid()))
        .filter(step_entity::Column::Number.eq(step.number().cast_signed()))
        .exec(transaction)
        .await?;
    Ok(())
}

async fn run_change(
    transaction: &DatabaseTransaction,
    run_id: RunId,
    status: RunStatus,
    finished_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    run_entity::Entity::update_many()
        .col_expr(run_entity::Column::Status, Expr::value(status.name()))
        .col_expr(run_entity::Column::FinishedAt, Expr::value(finished_at))
        .filter(run_entity::Column::Id.eq(run_id.uuid()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// What the event tells is of the whole run so far, so it takes the place of what was there.
async fn ai_used(transaction: &DatabaseTransaction, run_id: RunId, ai: &AiUse) -> Result<(), DbErr> {
    run_entity::Entity::update_many()
        .col_expr(run_entity::Column::Ai, Expr::value(to_json(ai)))
        .filter(run_entity::Column::Id.eq(run_id.uuid()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Writes how far each of the runs has come, once for all events.
async fn versions(transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), DbErr> {
    let newest: HashMap<&str, i64> = events.iter().map(|event| (event.aggregate_id.as_str(), event.sequence)).collect();
    let (ids, versions): (Vec<String>, Vec<i64>) =
        newest.into_iter().map(|(id, version)| (id.to_owned(), version)).unzip();
    let update = "update runs set version = newest.version
        from unnest($1::text[], $2::bigint[]) as newest(id, version)
        where runs.id = newest.id::uuid";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, update, [ids.into(), versions.into()]);
    transaction.execute(statement).await?;
    Ok(())
}

/// Steps that were not done yet will not be done any more.
async fn cancel_steps(transaction: &DatabaseTransaction, run_id: RunId) -> Result<(), DbErr> {
    let open = [StepStatus::Waiting.name(), StepStatus::Running.name()];
    step_entity::Entity::update_many()
        .col_expr(step_entity::Column::Status, Expr::value(StepStatus::Cancelled.name()))
        .col_expr(step_entity::Column::RetryAt, Expr::value(Option::<DateTime<Utc>>::None))
        .filter(step_entity::Column::RunId.eq(run_id.uuid()))
        .filter(step_entity::Column::Status.is_in(open))
        .exec(transaction)
        .await?;
    Ok(())
}
