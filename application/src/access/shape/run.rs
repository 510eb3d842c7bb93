//! What of a run is shown.
//!
//! Who may see runs sees what the AI was asked, but not what it cost: that takes the right to see costs.

use domain::access::{Facet, Permission, ReachSet};
use domain::job_run::AiUse;

use super::Sight;
use crate::context::RequestContext;
use crate::ports::read_models::RunView;

impl Sight {
    /// Of amounts of money that the company spent.
    pub fn of_costs(context: &RequestContext) -> Self {
        let scope = context.authorize_to_see(Permission::FinanceViewCosts);
        Self::of_others(scope.map_or(ReachSet::NONE, |scope| scope.reach()))
    }

    /// A run.
    pub fn run(self, view: RunView) -> RunView {
        let RunView { id, kind, period, status, started_at, finished_at, version, ai, steps } = view;
        let ai = ai.map(|AiUse { prompt_version, model, total, cost }| {
            let cost = self.show(Facet::Money, cost).flatten();
            AiUse { prompt_version, model, total, cost }
        });
        RunView { id, kind, period, status, started_at, finished_at, version, ai, steps }
    }
}

#[cfg(test)]
mod tests {
    use domain::access::Reach;
    use domain::job_run::AiCalls;
    use domain::money::Cost;
    use domain::period::Period;
    use domain::report::ReportKind;
    use uuid::Uuid;

    use super::*;
    use crate::ports::read_models::RunStatus;

    fn shown(reaches: &[Reach]) -> AiUse {
        let at = "2026-06-01T09:00:00Z".parse().unwrap();
        let cost = Cost { currency: "USD".parse().unwrap(), amount_minor: 7 };
        let total = AiCalls { calls: 1, input_tokens: 2, output_tokens: 3 };
        let view = RunView {
            id: Uuid::from_u128(1).into(),
            kind: ReportKind::Daily,
            period: Period { from: at, to: at },
            status: RunStatus::Completed,
            started_at: at,
            finished_at: Some(at),
            version: 9,
            ai: Some(AiUse { prompt_version: 3, model: "a-model".into(), total, cost: Some(cost) }),
            steps: Vec::new(),
        };
        Sight::of_others(ReachSet::of(reaches)).run(view).ai.unwrap()
    }

    /// Seen to fail: with a cost that is shown as a number.
    #[test]
    fn costs_are_shown_where_money_is() {
        assert_eq!(shown(&[Reach::All]).cost.unwrap().amount_minor, 7);
        for reaches in [&[][..], &[Reach::Stats], &[Reach::Limited]] {
            let ai = shown(reaches);
            assert_eq!((ai.cost, ai.total.calls, ai.prompt_version), (None, 1, 3), "{reaches:?}");
        }
    }
}
