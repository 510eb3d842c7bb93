use std::collections::BTreeMap;

use application::ports::read_models::{
    Cursor, FailureView, Found, Page, PageRequest, RunStatus, RunView, Runs, StepStatus, StepView,
};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::RunId;
use domain::job_run::Failure;
use domain::period::Period;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult, QuerySelect, Select};
use serde::Deserialize;

use super::{RunsProjection, run_entity};
use crate::database::Database;
use crate::error::{from_orm, internal};
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::{from_json, from_text};

/// A run's steps, in order. They come with the run, so that both are of one moment.
const STEPS: &str = "(
    select coalesce(jsonb_agg(to_jsonb(own) order by own.number), '[]') from run_steps own
    where own.tenant_id = runs.tenant_id and own.run_id = runs.id)";

/// Reads the tables `runs` and `run_steps`.
pub struct RunsReader(Database);

impl RunsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    async fn views(
        &self,
        scope: &TenantScope,
        query: Select<run_entity::Entity>,
    ) -> Result<(Vec<RunView>, u64), PortError> {
        let query =
            query.filter(run_entity::Column::TenantId.eq(scope.tenant_id().uuid())).expr_as(Expr::cust(STEPS), "steps");
        let newest = [run_entity::Column::StartedAt, run_entity::Column::Id];
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, newest, scope, RunsProjection::NAME).await?;
        Ok((rows.into_iter().map(run_view).collect::<Result<_, PortError>>()?, parked))
    }
}

#[async_trait]
impl Runs for RunsReader {
    async fn get(&self, scope: &TenantScope, id: RunId) -> Result<Found<Option<RunView>>, PortError> {
        let (mut views, parked) = self.views(scope, run_entity::Entity::find_by_id(id.uuid())).await?;
        Ok(Found { item: views.pop(), parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<RunView>, PortError> {
        let mut query = run_entity::Entity::find().limit(paging::rows(page));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(started_at, id) < ($1, $2)", values));
        }
        let (views, parked) = self.views(scope, query).await?;
        Ok(paging::page(views, page, parked, |run| Cursor { at: run.started_at, id: run.id.uuid() }))
    }
}

/// A run with its steps as the statement aggregates them.
struct RunRow {
    run: run_entity::Model,
    steps: serde_json::Value,
}

impl FromQueryResult for RunRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self { run: run_entity::Model::from_query_result(row, prefix)?, steps: row.try_get(prefix, "steps")? })
    }
}

/// What is shown of a row of `run_steps`.
#[derive(Deserialize)]
struct StepRow {
    step: String,
    status: String,
    attempts: u32,
    elapsed_ms: Option<u64>,
    counts: BTreeMap<String, u64>,
    failure: Option<Failure>,
    retry_at: Option<DateTime<Utc>>,
}

fn run_view(RunRow { run, steps }: RunRow) -> Result<RunView, PortError> {
    let status = [RunStatus::Running, RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled]
        .into_iter()
        .find(|status| status.name() == run.status)
        .ok_or_else(|| internal(format!("runs.status holds {:?}", run.status)))?;
    let steps: Vec<StepRow> = from_json("run_steps", "row", steps)?;
    Ok(RunView {
        id: run.id.into(),
        kind: from_text("runs", "kind", &run.kind)?,
        period: Period { from: run.period_from, to: run.period_to },
        status,
        started_at: run.started_at,
        finished_at: run.finished_at,
        version: run.version.cast_unsigned(),
        ai: run.ai.map(|ai| from_json("runs", "ai", ai)).transpose()?,
        steps: steps.into_iter().map(step_view).collect::<Result<_, PortError>>()?,
    })
}

fn step_view(step: StepRow) -> Result<StepView, PortError> {
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
    Ok(StepView {
        step: from_text("run_steps", "step", &step.step)?,
        status,
        attempts: step.attempts,
        elapsed_ms: step.elapsed_ms,
        counts: step.counts,
        failure: step.failure.map(|Failure { message, advice, .. }| FailureView { message, advice }),
        retry_at: step.retry_at,
    })
}
