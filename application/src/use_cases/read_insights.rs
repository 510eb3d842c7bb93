//! Summing up what was done, what it found, and what it used.

use std::sync::Arc;

use domain::access::Permission;

use crate::access::shape::Sight;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::insights::{Activity, AiUsage, Insights, Profit, StepLoad};

/// Reads sums.
pub struct ReadInsights {
    /// The read models.
    pub insights: Arc<dyn Insights>,
}

impl ReadInsights {
    /// What was done and found, as far as the reader is shown it.
    pub async fn activity(&self, context: &RequestContext) -> Result<Activity, AppError> {
        let scope = context.authorize(Permission::AnalyticsRead)?;
        Ok(Sight::of_others(scope.reach()).activity(self.insights.activity(&scope).await?))
    }

    /// What the AI was asked.
    pub async fn costs(&self, context: &RequestContext) -> Result<AiUsage, AppError> {
        let scope = context.authorize(Permission::FinanceViewCosts)?;
        Ok(self.insights.ai_usage(&scope).await?)
    }

    /// Deals that were won, in the reports. What they brought in is not known: reports hold no sums.
    pub async fn deals_won(&self, context: &RequestContext) -> Result<u64, AppError> {
        let scope = context.authorize(Permission::FinanceViewRevenue)?;
        Ok(self.insights.activity(&scope).await?.outcomes.won)
    }

    /// What is left, as far as the reports and the runs tell it. Whoever has the right is told no more of either side than
    /// whether it is known.
    pub async fn profit(&self, context: &RequestContext) -> Result<Profit, AppError> {
        let scope = context.authorize(Permission::FinanceViewProfit)?;
        let won = self.insights.activity(&scope).await?.outcomes.won;
        Ok(Profit::of(won, &self.insights.ai_usage(&scope).await?))
    }

    /// How the steps of the pipeline do, in their order.
    pub async fn steps(&self, context: &RequestContext) -> Result<Vec<StepLoad>, AppError> {
        let scope = context.authorize(Permission::InfrastructureRead)?;
        Ok(self.insights.steps(&scope).await?)
    }
}
