use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{CheckOutcome, IntegrationKind};
use crate::values::{ContentHash, Personal};

/// What a tenant's admin tries out while setting a service up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trial {
    /// Which version of the tables the project has.
    Schema,
    /// The last deals.
    Deals,
    /// The dialogues of the last deals.
    Dialogues,
    /// The AI's answer to the prompt and a few dialogues.
    Analysis,
    /// A test message.
    Message,
    /// A short report on a few dialogues.
    Report,
}

impl Trial {
    /// All of them, in the order of the kinds.
    pub const ALL: [Self; 6] =
        [Self::Schema, Self::Deals, Self::Dialogues, Self::Analysis, Self::Message, Self::Report];

    /// The frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Deals => "deals",
            Self::Dialogues => "dialogues",
            Self::Analysis => "analysis",
            Self::Message => "message",
            Self::Report => "report",
        }
    }

    /// The kind of service that it tries.
    pub fn kind(self) -> IntegrationKind {
        match self {
            Self::Schema => IntegrationKind::Supabase,
            Self::Deals => IntegrationKind::Amocrm,
            Self::Dialogues => IntegrationKind::Radist,
            Self::Analysis => IntegrationKind::Ai,
            Self::Message | Self::Report => IntegrationKind::Telegram,
        }
    }
}

/// A trial that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRecord {
    /// The version that was tried.
    pub version: u32,
    /// What was tried.
    pub trial: Trial,
    /// Whether the service did as it should.
    pub outcome: CheckOutcome,
    /// How much was found.
    pub counts: BTreeMap<String, u64>,
    /// Where what was found is staged, for those who look at it or write it.
    pub staged: Option<ContentHash>,
    /// What the AI answered.
    pub answer: Option<Personal<String>>,
    /// The model that did.
    pub model: Option<String>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What a trial found, written to the tenant's storage and read back.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteRecord {
    /// The version whose trial was written.
    pub version: u32,
    /// Whether every row was there afterwards.
    pub outcome: CheckOutcome,
    /// Rows that were written, by table.
    pub written: BTreeMap<String, u64>,
    /// Rows of them that were there when they were read back.
    pub confirmed: BTreeMap<String, u64>,
    /// Now.
    pub at: DateTime<Utc>,
}
