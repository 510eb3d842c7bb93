use std::collections::HashMap;

use application::ports::read_models::{
    Cursor, FailureView, Found, Page, PageRequest, RunStatus, RunView, Runs, StepStatus, StepView,
};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::RunId;
use domain::job_run::Failure;
use domain::period::Period;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{RunsProjection, run_entity, step_entity};
use crate::database::Database;
use crate::error::{from_orm, internal};
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::{from_json, from_text};

/// Reads the tables `runs` and `run_steps`.
pub struct RunsReader(Database);

impl RunsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    /// Runs and steps are two statements; one snapshot for both, so that they say the same.
    async fn snapshot(&self) -> Result<DatabaseTransaction, PortError> {
        self.0.begin_snapshot().await.map_err(from_orm)
    }
}

async fn with_steps(
    snapshot: &DatabaseTransaction,
    scope: &TenantScope,
    runs: Vec<run_entity::Model>,
) -> Result<Vec<RunView>, PortError> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = runs.iter().map(|run| run.id).collect();
    let steps = step_entity::Entity::find()
        .filter(step_entity::Column::TenantId.eq(scope.tenant_id().uuid()))
        .filter(step_entity::Column::RunId.is_in(ids))
        .order_by_asc(step_entity::Column::Number)
        .all(snapshot)
        .await
        .map_err(from_orm)?;
    let mut by_run: HashMap<Uuid, Vec<StepView>> = HashMap::new();
    for step in steps {
        by_run.entry(step.run_id).or_default().push(step_view(step)?);
    }
    runs.iter().map(|run| run_view(&mut by_run, run)).collect()
}

#[async_trait]
impl Runs for RunsReader {
    async fn get(&self, scope: &TenantScope, id: RunId) -> Result<Option<Found<RunView>>, PortError> {
        let snapshot = self.snapshot().await?;
        let query =
            run_entity::Entity::find_by_id(id.uuid()).filter(run_entity::Column::TenantId.eq(scope.tenant_id().uuid()));
        let (run, parked) = rows_and_parked(&snapshot, query, scope, RunsProjection::NAME).await?;
        let mut views = with_steps(&snapshot, scope, run).await?;
        snapshot.commit().await.map_err(from_orm)?;
        Ok(views.pop().map(|item| Found { item, parked }))
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<RunView>, PortError> {
        let mut query = run_entity::Entity::find().filter(run_entity::Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(started_at, id) < ($1, $2)", values));
        }
        let snapshot = self.snapshot().await?;
        query = query
            .order_by_desc(run_entity::Column::StartedAt)
            .order_by_desc(run_entity::Column::Id)
            .limit(paging::rows(page));
        let (runs, parked) = rows_and_parked(&snapshot, query, scope, RunsProjection::NAME).await?;
        let views = with_steps(&snapshot, scope, runs).await?;
        snapshot.commit().await.map_err(from_orm)?;
        Ok(paging::page(views, page, parked, |run| Cursor { at: run.started_at, id: run.id.uuid() }))
    }
}

fn run_view(steps: &mut HashMap<Uuid, Vec<StepView>>, run: &run_entity::Model) -> Result<RunView, PortError> {
    let status = [RunStatus::Running, RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled]
        .into_iter()
        .find(|status| status.name() == run.status)
        .ok_or_else(|| internal(format!("runs.status holds {:?}", run.status)))?;
    Ok(RunView {
        id: run.id.into(),
        kind: from_text("runs", "kind", &run.kind)?,
        period: Period { from: run.period_from, to: run.period_to },
        status,
        started_at: run.started_at,
        finished_at: run.finished_at,
        version: run.version.cast_unsigned(),
        steps: steps.remove(&run.id).unwrap_or_default(),
    })
}

fn step_view(step: step_entity::Model) -> Result<StepView, PortError> {
    const TABLE: &str = "run_steps";
    let status = [
        StepStatus::Waiting,
        StepStatus::Running,
        StepStatus::Completed,
        StepStatus::Failed,
        StepStatus::Uncertain,
        StepStatus::Cancelled,
    ]
    .into_iter()
    .find(|status| status.name() == step.status)
    .ok_or_else(|| internal(format!("run_steps.status holds {:?}", step.status)))?;
    let failure: Option<Failure> = step.failure.map(|failure| from_json(TABLE, "failure", failure)).transpose()?;
    Ok(StepView {
        step: from_text(TABLE, "step", &step.step)?,
        status,
        attempts: step.attempts.cast_unsigned(),
        elapsed_ms: step.elapsed_ms.map(i64::cast_unsigned),
        counts: from_json(TABLE, "counts", step.counts)?,
        failure: failure.map(|failure| FailureView { message: failure.message, advice: failure.advice }),
        retry_at: step.retry_at,
    })
}
