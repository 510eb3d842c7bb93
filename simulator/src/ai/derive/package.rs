//! What a prompt gives to analyse.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{answer::Report, language::Language};

/// The JSON document of a prompt.
#[derive(Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub(super) enum Package {
    Analyse(Analyse),
    Merge(Merge),
}

/// Dialogues to report on.
#[derive(Deserialize)]
pub(super) struct Analyse {
    #[serde(default)]
    pub(super) language: Language,
    #[serde(default)]
    pub(super) period: Period,
    pub(super) dialogues: Vec<Dialogue>,
}

/// Reports of parts to make one of.
#[derive(Deserialize)]
pub(super) struct Merge {
    #[serde(default)]
    pub(super) language: Language,
    #[serde(default)]
    pub(super) period: Period,
    #[serde(default)]
    pub(super) metrics: Value,
    pub(super) parts: Vec<Report>,
}

/// The period as the prompt words it.
#[derive(Default, Deserialize)]
pub(super) struct Period {
    #[serde(default)]
    pub(super) from: String,
    #[serde(default)]
    pub(super) to: String,
}

/// One conversation.
#[derive(Deserialize)]
pub(super) struct Dialogue {
    pub(super) id: String,
    #[serde(default)]
    pub(super) agent: Option<String>,
    #[serde(default)]
    pub(super) outcome: Outcome,
    pub(super) messages: Vec<Message>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Won,
    Lost,
    #[default]
    Open,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) at: DateTime<Utc>,
    pub(super) from: Speaker,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Speaker {
    Customer,
    Agent,
}

impl Dialogue {
    pub(super) fn customer_messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.from == Speaker::Customer)
    }

    /// Seconds that the customer waited for each answer: from the first message since the agent last wrote.
    pub(super) fn waits(&self) -> Vec<i64> {
        let mut waits = Vec::new();
        let mut asked: Option<DateTime<Utc>> = None;
        for message in &self.messages {
            match message.from {
                Speaker::Customer => asked = asked.or(Some(message.at)),
                Speaker::Agent => waits.extend(asked.take().map(|since| (message.at - since).num_seconds())),
            }
        }
        waits
    }

    pub(super) fn is_answered(&self) -> bool {
        self.messages.iter().any(|message| message.from == Speaker::Agent)
    }

    /// The last message, if it is the customer's.
    pub(super) fn last_word(&self) -> Option<&Message> {
        self.messages.last().filter(|message| message.from == Speaker::Customer)
    }
}
