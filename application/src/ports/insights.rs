//! What a company's runs and reports come to, summed up over its read models.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::metrics::Outcomes;
use domain::values::Personal;

use crate::context::TenantScope;
use crate::error::PortError;

/// What was done and found. A day that two reports cover counts in both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activity {
    /// Runs, by where they stand.
    pub runs: BTreeMap<String, u64>,
    /// Reports.
    pub reports: u64,
    /// Dialogues of the reports.
    pub dialogues: u64,
    /// Their messages.
    pub messages: u64,
    /// Dialogues without an answer.
    pub unanswered: u64,
    /// How the deals of the dialogues ended.
    pub outcomes: Outcomes,
    /// Each agent's part, by name.
    pub agents: Vec<AgentActivity>,
}

/// One agent's part.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentActivity {
    /// The agent's name; empty for deals whose agent is not known.
    pub name: Personal<String>,
    /// Dialogues.
    pub dialogues: u64,
    /// Dialogues without an answer.
    pub unanswered: u64,
    /// Deals won.
    pub won: u64,
}

/// What the AI was asked. Not every company has entered what a token costs, so this is no amount of money.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AiUsage {
    /// Calls.
    pub calls: u64,
    /// Tokens that the models read.
    pub input_tokens: u64,
    /// Tokens that they wrote.
    pub output_tokens: u64,
}

/// What is left of what deals brought in after what the AI cost, in minor units. What is none is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profit {
    /// Nothing where no deal of the reports was won. Reports hold no sums, so of any deal it is not known.
    pub revenue: Option<i64>,
    /// Nothing where the AI was not called. What calls cost is told of single runs only, so of their sum it is not known.
    pub costs: Option<i64>,
}

impl Profit {
    /// Of so many deals that were won, after this use of the AI.
    pub fn of(deals_won: u64, usage: &AiUsage) -> Self {
        let nothing = |count: u64| (count == 0).then_some(0);
        Self { revenue: nothing(deals_won), costs: nothing(usage.calls) }
    }

    /// The amount, where both sides are known.
    pub fn amount(&self) -> Option<i64> {
        Some(self.revenue? - self.costs?)
    }
}

/// How one step of the pipeline does.
#[derive(Debug, Clone, PartialEq)]
pub struct StepLoad {
    /// Its frozen name.
    pub step: String,
    /// Its place, from 1.
    pub number: u32,
    /// Runs that came to it.
    pub runs: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Runs in which it failed for good.
    pub failed: u64,
    /// The mean time of last attempts, in milliseconds; none where no attempt has ended.
    pub mean_ms: Option<u64>,
}

/// Sums over a company's read models.
#[async_trait]
pub trait Insights: Send + Sync {
    /// What was done and found.
    async fn activity(&self, scope: &TenantScope) -> Result<Activity, PortError>;

    /// What the AI was asked.
    async fn ai_usage(&self, scope: &TenantScope) -> Result<AiUsage, PortError>;

    /// How the steps of the pipeline do, in their order.
    async fn steps(&self, scope: &TenantScope) -> Result<Vec<StepLoad>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profit_is_known_where_both_sides_are() {
        let used = AiUsage { calls: 1, input_tokens: 900, output_tokens: 30 };
        let profit = |won, usage: &AiUsage| Profit::of(won, usage).amount();
        assert_eq!(profit(0, &AiUsage::default()), Some(0));
        assert_eq!((profit(1, &AiUsage::default()), profit(0, &used), profit(1, &used)), (None, None, None));
    }
}
