//! How much of a thing is shown: an allow-list, in this one place.
//!
//! A view is taken apart with all its fields named, so that a new field does not compile here until someone has decided
//! what kind of thing it tells. What is not shown is left out; a person whose name is not shown has an empty one.

mod history;
mod run;
mod sentence;

use chrono::{DateTime, Utc};
use domain::access::{Facet, ReachSet};
use domain::ids::{ReportId, RunId};
use domain::metrics::{AgentMetrics, Metrics};
use domain::narrative::Narrative;
use domain::period::Period;
use domain::report::ReportKind;
use domain::values::Personal;

pub use self::history::{EntryAbout, ShownEntry};
use crate::ports::insights::{Activity, AgentActivity};
use crate::ports::read_models::ReportView;
use crate::ports::services::StoredReport;

/// What the reader of one thing is shown.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    reach: ReachSet,
    owned: bool,
    costs: bool,
}

impl Sight {
    /// Of a thing that nobody owns, or someone else does.
    pub fn of_others(reach: ReachSet) -> Self {
        Self { reach, owned: false, costs: true }
    }

    /// Of a thing that is the reader's own.
    pub fn of_own(reach: ReachSet) -> Self {
        Self { reach, owned: true, costs: true }
    }

    /// The same without amounts of money, for readers who may not see what the company spends.
    #[must_use]
    pub fn without_costs(self) -> Self {
        Self { costs: false, ..self }
    }

    /// The value, where the reader is shown fields of this kind.
    pub fn show<T>(self, facet: Facet, value: T) -> Option<T> {
        self.shows(facet).then_some(value)
    }

    /// Whether the reader is shown fields of this kind.
    pub fn shows(self, facet: Facet) -> bool {
        (self.costs || facet != Facet::Money) && self.reach.shows(facet, self.owned)
    }
}

/// A report as far as its reader is shown it. What the narrative says may name people, so it counts as a name.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownReport {
    /// What every reader is shown: which report it is, of what time, and when it was made.
    pub about: ReportAbout,
    /// Its first line.
    pub headline: Option<String>,
    /// A paragraph.
    pub summary: Option<String>,
    /// The numbers; agents are without names where names are not shown, and are left out where single things are not.
    pub metrics: Metrics,
}

/// The words of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportWords {
    /// The whole text, in Markdown.
    pub body: String,
    /// What the AI wrote, in its parts.
    pub narrative: Narrative,
}

/// Which report it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportAbout {
    /// Its id.
    pub id: ReportId,
    /// The run that made it.
    pub run_id: RunId,
    /// What period it is about.
    pub kind: ReportKind,
    /// The time it covers.
    pub period: Period,
    /// The AI model that wrote the narrative.
    pub model: String,
    /// The version of the AI's settings, and so of the prompt; none in reports of earlier releases.
    pub prompt_version: Option<u32>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
}

impl Sight {
    /// A report.
    pub fn report(self, view: ReportView) -> ShownReport {
        let ReportView { id, run_id, kind, period, headline, summary, metrics, model, prompt_version, published_at } =
            view;
        ShownReport {
            about: ReportAbout { id, run_id, kind, period, model, prompt_version, published_at },
            headline: self.show(Facet::Name, headline),
            summary: self.show(Facet::Name, summary),
            metrics: self.metrics(metrics),
        }
    }

    /// What was done and found.
    pub fn activity(self, activity: Activity) -> Activity {
        let Activity { runs, reports, dialogues, messages, unanswered, outcomes, agents } = activity;
        let agents = self.show(Facet::Detail, agents).unwrap_or_default();
        let agents = agents.into_iter().map(|AgentActivity { name, dialogues, unanswered, won }| {
            let name = self.show(Facet::Name, name).unwrap_or_else(|| Personal::new(String::new()));
            AgentActivity { name, dialogues, unanswered, won }
        });
        Activity { runs, reports, dialogues, messages, unanswered, outcomes, agents: agents.collect() }
    }

    /// The words of a report. What else the storage holds repeats the report's own fields.
    pub fn words(self, stored: StoredReport) -> Option<ReportWords> {
        let StoredReport { id: _, run_id: _, period: _, headline: _, body, metrics: _, narrative } = stored;
        self.show(Facet::Name, ReportWords { body, narrative })
    }

    /// The numbers of a report.
    pub fn metrics(self, metrics: Metrics) -> Metrics {
        let Metrics {
            dialogues,
            messages,
            customer_messages,
            agent_messages,
            first_response,
            unanswered,
            unanswered_share,
            awaiting_reply,
            outcomes,
            languages,
            agents,
            hours,
        } = metrics;
        let agents = self.show(Facet::Detail, agents).unwrap_or_default();
        Metrics {
            dialogues,
            messages,
            customer_messages,
            agent_messages,
            first_response,
            unanswered,
            unanswered_share,
            awaiting_reply,
            outcomes,
            languages,
            agents: agents.into_iter().map(|agent| self.agent(agent)).collect(),
            hours,
        }
    }

    fn agent(self, agent: AgentMetrics) -> AgentMetrics {
        let AgentMetrics { name, dialogues, messages, first_response, unanswered, outcomes } = agent;
        let name = self.show(Facet::Name, name).unwrap_or_else(|| Personal::new(String::new()));
        AgentMetrics { name, dialogues, messages, first_response, unanswered, outcomes }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use domain::access::Reach;
    use domain::metrics::{Dialogue, Outcome, Sender, Utterance, compute};
    use uuid::Uuid;

    use super::*;

    fn at() -> DateTime<Utc> {
        "2026-06-01T09:00:00Z".parse().unwrap()
    }

    fn report() -> ReportView {
        let message = Utterance { at: at(), from: Sender::Customer, text: "Hello".into() };
        let dialogue = Dialogue {
            id: "1".into(),
            agent: Some("Irina Belova".into()),
            outcome: Outcome::Won,
            language: "en".into(),
            messages: vec![message],
        };
        ReportView {
            id: Uuid::from_u128(1).into(),
            run_id: Uuid::from_u128(2).into(),
            kind: ReportKind::Daily,
            period: Period { from: at(), to: at() },
            headline: "Irina answers late".into(),
            summary: "Irina Belova let one customer wait.".into(),
            metrics: compute(&[dialogue], Tz::UTC),
            model: "a-model".into(),
            prompt_version: Some(3),
            published_at: at(),
        }
    }

    fn shown(reach: Reach) -> ShownReport {
        Sight::of_others(ReachSet::of(&[reach])).report(report())
    }

    /// Seen to fail with a headline that was shown as a detail.
    #[test]
    fn a_name_stands_only_where_names_are_shown() {
        for reach in [Reach::Stats, Reach::Anonymized] {
            let text = format!("{:?}", shown(reach)) + &serde_json::to_string(&shown(reach).metrics).unwrap();
            assert!(!text.contains("Irina"), "{reach}: {text}");
        }
        for reach in [Reach::Limited, Reach::All] {
            let report = shown(reach);
            assert_eq!(report.metrics.agents[0].name.reveal(), "Irina Belova", "{reach}");
            assert!(report.headline.is_some() && report.summary.is_some(), "{reach}");
        }
    }

    #[test]
    fn numbers_are_shown_to_everybody_and_single_agents_not() {
        for (reach, agents) in [(Reach::Stats, 0), (Reach::Anonymized, 1), (Reach::Limited, 1), (Reach::All, 1)] {
            let metrics = shown(reach).metrics;
            assert_eq!((metrics.dialogues, metrics.agents.len()), (1, agents), "{reach}");
        }
    }

    #[test]
    fn the_own_reach_shows_nothing_of_what_others_own() {
        let report = shown(Reach::Own);
        assert_eq!((report.headline, report.metrics.agents.len()), (None, 0));
    }
}
