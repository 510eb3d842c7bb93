use std::collections::BTreeMap;

use domain::metrics::{AgentMetrics, FirstResponse, HourMetrics, LanguageMetrics, Metrics, Outcomes};
use poem_openapi::Object;

/// The numbers of a period.
#[derive(Object)]
#[oai(rename = "Metrics")]
pub(super) struct MetricsBody {
    /// Dialogues with at least one message in the period.
    dialogues: u64,
    /// Their messages.
    messages: u64,
    /// Messages that customers wrote.
    customer_messages: u64,
    /// Messages that agents wrote.
    agent_messages: u64,
    /// How fast agents answered.
    first_response: FirstResponseBody,
    /// Dialogues in which the customer wrote and got no answer.
    unanswered: u64,
    /// Unanswered dialogues over all dialogues, from 0 to 1.
    unanswered_share: f64,
    /// Dialogues whose last message is the customer's.
    awaiting_reply: u64,
    /// How the deals of the dialogues ended.
    outcomes: OutcomesBody,
    /// Per language: ISO 639-1 code, or `und` where the text does not tell.
    languages: BTreeMap<String, LanguageBody>,
    /// Per agent.
    agents: Vec<AgentBody>,
    /// Per hour of the day.
    hours: Vec<HourBody>,
}

impl From<Metrics> for MetricsBody {
    fn from(metrics: Metrics) -> Self {
        let language = |(code, LanguageMetrics { dialogues, messages })| (code, LanguageBody { dialogues, messages });
        Self {
            dialogues: metrics.dialogues,
            messages: metrics.messages,
            customer_messages: metrics.customer_messages,
            agent_messages: metrics.agent_messages,
            first_response: metrics.first_response.into(),
            unanswered: metrics.unanswered,
            unanswered_share: metrics.unanswered_share,
            awaiting_reply: metrics.awaiting_reply,
            outcomes: metrics.outcomes.into(),
            languages: metrics.languages.into_iter().map(language).collect(),
            agents: metrics.agents.into_iter().map(AgentBody::from).collect(),
            hours: metrics.hours.into_iter().map(HourBody::from).collect(),
        }
    }
}

/// How fast agents answered a customer's first message.
#[derive(Object)]
#[oai(rename = "FirstResponse")]
struct FirstResponseBody {
    /// Dialogues with an answer.
    answered: u64,
    /// Half of the answers came within this many seconds; `null` where there was none.
    #[oai(nullable)]
    median_seconds: Option<u64>,
    /// Nine of ten answers came within this many seconds; `null` where there was none.
    #[oai(nullable)]
    p90_seconds: Option<u64>,
}

impl From<FirstResponse> for FirstResponseBody {
    fn from(FirstResponse { answered, median_seconds, p90_seconds }: FirstResponse) -> Self {
        Self { answered, median_seconds, p90_seconds }
    }
}

/// Dialogues by the outcome of their deal.
#[derive(Object)]
#[oai(rename = "Outcomes")]
struct OutcomesBody {
    /// Sold.
    won: u64,
    /// Not sold.
    lost: u64,
    /// Not decided yet.
    open: u64,
}

impl From<Outcomes> for OutcomesBody {
    fn from(Outcomes { won, lost, open }: Outcomes) -> Self {
        Self { won, lost, open }
    }
}

/// The numbers of one language.
#[derive(Object)]
#[oai(rename = "LanguageMetrics")]
struct LanguageBody {
    /// Dialogues in it.
    dialogues: u64,
    /// Their messages.
    messages: u64,
}

/// The numbers of one agent.
#[derive(Object)]
#[oai(rename = "AgentMetrics")]
struct AgentBody {
    /// The agent's name; empty for deals whose agent is not known, and where your right does not show names.
    name: String,
    /// Dialogues.
    dialogues: u64,
    /// Messages of both sides.
    messages: u64,
    /// How fast the agent answered.
    first_response: FirstResponseBody,
    /// Dialogues without an answer.
    unanswered: u64,
    /// How the deals ended.
    outcomes: OutcomesBody,
}

impl From<AgentMetrics> for AgentBody {
    fn from(agent: AgentMetrics) -> Self {
        Self {
            name: agent.name.reveal().clone(),
            dialogues: agent.dialogues,
            messages: agent.messages,
            first_response: agent.first_response.into(),
            unanswered: agent.unanswered,
            outcomes: agent.outcomes.into(),
        }
    }
}

/// The numbers of one hour of the day.
#[derive(Object)]
#[oai(rename = "HourMetrics")]
struct HourBody {
    /// From 0 to 23, as the company's clocks show it.
    hour: u32,
    /// Messages that customers wrote.
    customer_messages: u64,
    /// Messages that agents wrote.
    agent_messages: u64,
}

impl From<HourMetrics> for HourBody {
    fn from(HourMetrics { hour, customer_messages, agent_messages }: HourMetrics) -> Self {
        Self { hour, customer_messages, agent_messages }
    }
}
