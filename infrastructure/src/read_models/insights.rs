//! Sums over runs, their steps and reports. They are asked seldom and by few, so they have no table of their own.

use application::ports::insights::{Activity, AgentActivity, AiUsage, Insights, StepLoad};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::metrics::Outcomes;
use domain::values::Personal;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, TryGetableMany};

use crate::database::{Database, Scoped};
use crate::error::from_orm;

const TOTALS: &str = "
    select count(*), coalesce(sum((metrics->>'dialogues')::bigint), 0)::bigint,
           coalesce(sum((metrics->>'messages')::bigint), 0)::bigint,
           coalesce(sum((metrics->>'unanswered')::bigint), 0)::bigint,
           coalesce(sum((metrics->'outcomes'->>'won')::bigint), 0)::bigint,
           coalesce(sum((metrics->'outcomes'->>'lost')::bigint), 0)::bigint,
           coalesce(sum((metrics->'outcomes'->>'open')::bigint), 0)::bigint
    from reports where tenant_id = $1";

const AGENTS: &str = "
    select agent->>'name', sum((agent->>'dialogues')::bigint)::bigint, sum((agent->>'unanswered')::bigint)::bigint,
           sum((agent->'outcomes'->>'won')::bigint)::bigint
    from reports, jsonb_array_elements(metrics->'agents') agent
    where tenant_id = $1
    group by 1 order by 1";

/// Runs of earlier releases tell what the last attempt used, and no more.
const AI: &str = "
    select coalesce(sum((used->>'calls')::bigint), 0)::bigint,
           coalesce(sum((used->>'input_tokens')::bigint), 0)::bigint,
           coalesce(sum((used->>'output_tokens')::bigint), 0)::bigint
    from (select coalesce(runs.ai->'total', analysis.counts) as used
          from runs join run_steps analysis on analysis.tenant_id = runs.tenant_id and analysis.run_id = runs.id
          where runs.tenant_id = $1 and analysis.step = 'analyse') uses";

const STEPS: &str = "
    select step, number, count(*) filter (where attempts > 0), sum(attempts)::bigint,
           count(*) filter (where status = 'failed'), round(avg(elapsed_ms))::bigint
    from run_steps where tenant_id = $1
    group by step, number order by number";

/// The states that runs are in, and how many are in each.
const RUNS: &str = "select status, count(*) from runs where tenant_id = $1 group by status";

/// Reads sums.
pub struct InsightsReader(Database);

impl InsightsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

/// The rows of a statement whose only parameter is the tenant.
async fn rows<T: TryGetableMany>(connection: &Scoped, scope: &TenantScope, sql: &str) -> Result<Vec<T>, PortError> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [scope.tenant_id().uuid().into()]);
    let rows = connection.query_all(statement).await.map_err(from_orm)?;
    rows.iter().map(QueryResult::try_get_many_by_index).collect::<Result<_, _>>().map_err(from_orm)
}

/// The only row of such a statement.
async fn row<T: TryGetableMany>(connection: &Scoped, scope: &TenantScope, sql: &str) -> Result<T, PortError> {
    rows(connection, scope, sql).await?.pop().ok_or_else(|| PortError::internal("a sum has no row"))
}

#[async_trait]
impl Insights for InsightsReader {
    async fn activity(&self, scope: &TenantScope) -> Result<Activity, PortError> {
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let runs: Vec<(String, i64)> = rows(&connection, scope, RUNS).await?;
        let totals: (i64, i64, i64, i64, i64, i64, i64) = row(&connection, scope, TOTALS).await?;
        let agents: Vec<(String, i64, i64, i64)> = rows(&connection, scope, AGENTS).await?;
        let agent = |(name, dialogues, unanswered, won)| AgentActivity {
            name: Personal::new(name),
            dialogues: i64::cast_unsigned(dialogues),
            unanswered: i64::cast_unsigned(unanswered),
            won: i64::cast_unsigned(won),
        };
        let (reports, dialogues, messages, unanswered, won, lost, open) = totals;
        Ok(Activity {
            runs: runs.into_iter().map(|(status, count)| (status, count.cast_unsigned())).collect(),
            reports: reports.cast_unsigned(),
            dialogues: dialogues.cast_unsigned(),
            messages: messages.cast_unsigned(),
            unanswered: unanswered.cast_unsigned(),
            outcomes: Outcomes { won: won.cast_unsigned(), lost: lost.cast_unsigned(), open: open.cast_unsigned() },
            agents: agents.into_iter().map(agent).collect(),
        })
    }

    async fn ai_usage(&self, scope: &TenantScope) -> Result<AiUsage, PortError> {
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (calls, input, output): (i64, i64, i64) = row(&connection, scope, AI).await?;
        let (calls, input_tokens, output_tokens) =
            (calls.cast_unsigned(), input.cast_unsigned(), output.cast_unsigned());
        Ok(AiUsage { calls, input_tokens, output_tokens })
    }

    async fn steps(&self, scope: &TenantScope) -> Result<Vec<StepLoad>, PortError> {
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let steps: Vec<(String, i32, i64, i64, i64, Option<i64>)> = rows(&connection, scope, STEPS).await?;
        let load = |(step, number, runs, attempts, failed, mean)| StepLoad {
            step,
            number: i32::cast_unsigned(number),
            runs: i64::cast_unsigned(runs),
            attempts: i64::cast_unsigned(attempts),
            failed: i64::cast_unsigned(failed),
            mean_ms: Option::<i64>::map(mean, i64::cast_unsigned),
        };
        Ok(steps.into_iter().map(load).collect())
    }
}
