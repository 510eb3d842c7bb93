//! The numbers of a report. They are computed here from the messages, never by the AI.
//!
//! Definitions:
//! - A dialogue counts when it has at least one message in the period.
//! - *First response*: from the customer's first message of the dialogue to the agent's first message after it, in
//!   whole seconds. A dialogue that the agent opened has one too, once the customer has written.
//! - *Unanswered*: the customer wrote and the agent wrote nothing after the customer's first message.
//! - *Awaiting reply*: the last message is the customer's. It includes the unanswered ones.
//! - Percentiles are nearest-rank: the smallest value that at least p % of the values do not exceed.
//! - Hours are those of the tenant's time zone.

mod compute;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use compute::compute;

use crate::values::Personal;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// The tenant's customer.
    Customer,
    /// The tenant's side.
    Agent,
}

/// How a deal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Sold.
    Won,
    /// Not sold.
    Lost,
    /// Not decided yet.
    Open,
}

/// A conversation with one customer about a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// Its id in the report.
    pub id: String,
    /// The responsible agent's name, where known.
    pub agent: Option<String>,
    /// How its deal ended.
    pub outcome: Outcome,
    /// ISO 639-1 code of its language, or `und` where the text does not tell.
    pub language: String,
    /// Its messages, oldest first.
    pub messages: Vec<Utterance>,
}

/// One message of a dialogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utterance {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub from: Sender,
    /// What it says.
    pub text: String,
}

/// The numbers of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Dialogues with at least one message in the period.
    pub dialogues: u64,
    /// Their messages.
    pub messages: u64,
    /// Messages that customers wrote.
    pub customer_messages: u64,
    /// Messages that agents wrote.
    pub agent_messages: u64,
    /// How fast agents answered.
    pub first_response: FirstResponse,
    /// Dialogues that got no answer.
    pub unanswered: u64,
    /// Unanswered dialogues over all dialogues, 0 to 1, to four digits.
    pub unanswered_share: f64,
    /// Dialogues whose last message is the customer's.
    pub awaiting_reply: u64,
    /// How the deals of the dialogues ended.
    pub outcomes: Outcomes,
    /// Per language code.
    pub languages: BTreeMap<String, LanguageMetrics>,
    /// Per agent, by name.
    pub agents: Vec<AgentMetrics>,
    /// Per hour of the day, 0 to 23.
    pub hours: Vec<HourMetrics>,
}

/// How fast agents answered. The seconds are absent where no dialogue was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstResponse {
    /// Dialogues with an answer.
    pub answered: u64,
    /// Half of the answers came within this many seconds.
    pub median_seconds: Option<u64>,
    /// Nine of ten answers came within this many seconds.
    pub p90_seconds: Option<u64>,
}

/// Dialogues by the outcome of their deal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Sold.
    pub won: u64,
    /// Not sold.
    pub lost: u64,
    /// Not decided yet.
    pub open: u64,
}

/// The numbers of one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageMetrics {
    /// Dialogues in it.
    pub dialogues: u64,
    /// Their messages.
    pub messages: u64,
}

/// The numbers of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentMetrics {
    /// The agent's name; empty for deals whose agent is not known.
    pub name: Personal<String>,
    /// Dialogues.
    pub dialogues: u64,
    /// Messages of both sides.
    pub messages: u64,
    /// How fast the agent answered.
    pub first_response: FirstResponse,
    /// Dialogues without an answer.
    pub unanswered: u64,
    /// How the deals ended.
    pub outcomes: Outcomes,
}

/// The numbers of one hour of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourMetrics {
    /// 0 to 23, local to the tenant.
    pub hour: u32,
    /// Messages that customers wrote.
    pub customer_messages: u64,
    /// Messages that agents wrote.
    pub agent_messages: u64,
}
