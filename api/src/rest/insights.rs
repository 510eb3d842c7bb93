use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::insights::{Activity, AgentActivity, AiUsage, Profit, StepLoad};
use poem::web::Data;
use poem_openapi::{Enum, Object, OpenApi};

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

/// What the AI was asked. What it cost is shown with each run, where the company has entered what tokens cost.
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

/// What is left of what deals brought in, after what the AI cost.
#[derive(Object)]
#[oai(rename = "Profit")]
struct ProfitBody {
    /// The amount in minor units; `null` where one of the sides is not known.
    #[oai(nullable)]
    profit_minor: Option<i64>,
    /// The sides that are not known, and why; empty where the amount is known.
    unknown: Vec<UnknownSideBody>,
}

/// A side of the profit.
#[derive(Enum)]
#[oai(rename = "ProfitSide", rename_all = "snake_case")]
enum SideBody {
    Revenue,
    Costs,
}

/// A side of the profit that is not known.
#[derive(Object)]
#[oai(rename = "UnknownSide")]
struct UnknownSideBody {
    /// Which one.
    side: SideBody,
    /// Why, in a sentence.
    reason: String,
}

impl From<Profit> for ProfitBody {
    fn from(profit: Profit) -> Self {
        let sides = [
            (SideBody::Revenue, profit.revenue, "Deals were won, and reports hold no sums of deals."),
            (
                SideBody::Costs,
                profit.costs,
                "The AI was called, and what that cost is told of single runs only, where prices were entered.",
            ),
        ];
        let unknown = sides.into_iter().filter(|(_, amount, _)| amount.is_none());
        Self {
            profit_minor: profit.amount(),
            unknown: unknown.map(|(side, _, reason)| UnknownSideBody { side, reason: reason.into() }).collect(),
        }
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

    /// What is left of it?
    ///
    /// What the deals of the reports brought in, minus what the AI calls of the runs cost. Reports hold no sums, and what calls
    /// cost is told of single runs only, so each side is known only where it is nothing: no deal won, no call made. Otherwise the
    /// amount is `null`, and the answer says which side is not known and why; `/finance/revenue` and `/finance/costs` tell the
    /// numbers that there are. Needs the right `finance:view_profit`.
    #[oai(path = "/finance/profit", method = "get", operation_id = "get_profit", transform = "api_limit")]
    async fn profit(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<ProfitBody>, ApiError> {
        Ok(Shown::new(state.read_insights.profit(&user.0.context()).await?))
    }

    /// How does the pipeline do?
    ///
    /// Needs the right `infrastructure:read`.
    #[oai(path = "/infrastructure/pipeline", method = "get", operation_id = "get_pipeline", transform = "api_limit")]
    async fn pipeline(&self, state: Data<&Arc<AppState>>, user: SignedInUser) -> Result<Shown<PipelineBody>, ApiError> {
        Ok(Shown::new(state.read_insights.steps(&user.0.context()).await?))
    }
}
