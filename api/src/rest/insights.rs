use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::insights::{Activity, AgentActivity, AiUsage, StepLoad};
use poem::web::Data;
use poem_openapi::{Object, OpenApi};

use super::Chapter;
use super::body::Shown;
use crate::AppState;
use crate::identity::SignedInUser;
use crate::limits::api_limit;
use crate::problem::ApiError;

/// What was done and found. A day that two reports cover counts in both.
#[derive(Object)]
#[oai(rename = "Activity")]
struct ActivityBody {
    /// Runs, by where they stand.
    runs: BTreeMap<String, u64>,
    /// Reports.
    reports: u64,
    /// Dialogues of the reports.
    dialogues: u64,
    /// Their messages.
    messages: u64,
    /// Dialogues without an answer.
    unanswered: u64,
    /// Dialogues whose deal was won.
    won: u64,
    /// Dialogues whose deal was lost.
    lost: u64,
    /// Dialogues whose deal is not decided.
    open: u64,
    /// Each agent's part; empty where your right shows numbers only.
    agents: Vec<AgentActivityBody>,
}

/// One agent's part.
#[derive(Object)]
#[oai(rename = "AgentActivity")]
struct AgentActivityBody {
    /// The agent's name; empty for deals whose agent is not known, and where your right does not show names.
    name: String,
    /// Dialogues.
    dialogues: u64,
    /// Dialogues without an answer.
    unanswered: u64,
    /// Deals won.
    won: u64,
}

impl From<Activity> for ActivityBody {
    fn from(activity: Activity) -> Self {
        let agent = |AgentActivity { name, dialogues, unanswered, won }| AgentActivityBody {
            name: Clone::clone(domain::values::Personal::reveal(&name)),
            dialogues,
            unanswered,
            won,
        };
        Self {
            runs: activity.runs,
            reports: activity.reports,
            dialogues: activity.dialogues,
            messages: activity.messages,
            unanswered: activity.unanswered,
            won: activity.outcomes.won,
            lost: activity.outcomes.lost,
            open: activity.outcomes.open,
            agents: activity.agents.into_iter().map(agent).collect(),
        }
    }
}

/// What the AI was asked. Synkro does not know what a token costs, so this is no amount of money.
#[derive(Object)]
#[oai(rename = "Costs")]
struct CostsBody {
    /// Calls of the AI.
    calls: u64,
    /// Tokens that the models read.
    input_tokens: u64,
    /// Tokens that they wrote.
    output_tokens: u64,
}

impl From<AiUsage> for CostsBody {
    fn from(AiUsage { calls, input_tokens, output_tokens }: AiUsage) -> Self {
        Self { calls, input_tokens, output_tokens }
    }
}

/// What deals brought in. Reports hold no sums, so it is a number of deals.
#[derive(Object)]
#[oai(rename = "Revenue")]
struct RevenueBody {
    /// Dialogues of the reports whose deal was won.
    deals_won: u64,
}

impl From<u64> for RevenueBody {
    fn from(deals_won: u64) -> Self {
        Self { deals_won }
    }
}

/// How the pipeline does.
#[derive(Object)]
#[oai(rename = "Pipeline")]
struct PipelineBody {
    /// Its steps, in their order.
    steps: Vec<StepLoadBody>,
}

/// How one step does.
#[derive(Object)]
#[oai(rename = "StepLoad")]
struct StepLoadBody {
    /// Its name.
    name: String,
    /// Its place, from 1.
    number: u32,
    /// Runs that came to it.
    runs: u64,
    /// Attempts begun.
    attempts: u64,
    /// Runs in which it failed for good.
    failed: u64,
    /// The mean time of last attempts, in milliseconds; `null` where no attempt has ended.
    #[oai(nullable)]
    mean_ms: Option<u64>,
}

impl From<Vec<StepLoad>> for PipelineBody {
    fn from(steps: Vec<StepLoad>) -> Self {
        let body = |StepLoad { step: name, number, runs, attempts, failed, mean_ms }| StepLoadBody {
            name,
            number,
            runs,
            attempts,
            failed,
            mean_ms,
        };
        Self { steps: steps.into_iter().map(body).collect() }
    }
}

pub(super) struct InsightsApi;

#[OpenApi(prefix_path = "/api/v1", tag = "Chapter::Insights")]
impl InsightsApi {
    /// What was done and found?
    ///
    /// Needs the right `analytics:read`; its reach says how much is shown.
    #[oai(
        path = "/analytics/overview",
        method = "get",
        operation_id = "get_analytics_overview",
        transform = "api_limit"
    )]
    async fn activity(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<ActivityBody>, ApiError> {
        Ok(Shown::new(state.read_insights.activity(&user.0.context()).await?))
    }

    /// What did deals bring in?
    ///
    /// Needs the right `finance:view_revenue`.
    #[oai(path = "/finance/revenue", method = "get", operation_id = "get_revenue", transform = "api_limit")]
    async fn revenue(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<RevenueBody>, ApiError> {
        Ok(Shown::new(state.read_insights.deals_won(&user.0.context()).await?))
    }

    /// What did the work use?
    ///
    /// Needs the right `finance:view_costs`.
    #[oai(path = "/finance/costs", method = "get", operation_id = "get_costs", transform = "api_limit")]
    async fn costs(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<CostsBody>, ApiError> {
        Ok(Shown::new(state.read_insights.costs(&user.0.context()).await?))
    }

    /// How does the pipeline do?
    ///
    /// Needs the right `infrastructure:read`.
    #[oai(path = "/infrastructure/pipeline", method = "get", operation_id = "get_pipeline", transform = "api_limit")]
    async fn pipeline(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<PipelineBody>, ApiError> {
        Ok(Shown::new(state.read_insights.steps(&user.0.context()).await?))
    }
}
