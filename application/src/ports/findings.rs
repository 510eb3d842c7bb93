//! What trials of services find. It is staged, sealed, until someone has written it or its time is over.

use domain::narrative::Narrative;
use serde::{Deserialize, Serialize};

use super::services::{Chat, ChatMessage, Deal};

/// What a trial found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "trial", rename_all = "snake_case")]
pub enum Findings {
    /// The version of the storage's tables.
    Schema {
        /// That the project says it has.
        found: Option<u32>,
        /// The newest one.
        newest: u32,
    },
    /// The last deals.
    Deals {
        /// The deals with their contacts.
        deals: Vec<Deal>,
    },
    /// The dialogues of the last deals.
    Dialogues {
        /// The deals whose phones were looked for.
        deals: Vec<Deal>,
        /// The chats with one of these phones.
        chats: Vec<ChatWithMessages>,
    },
    /// What the AI says of a few dialogues.
    Analysis {
        /// How many dialogues it was asked about.
        dialogues: u64,
        /// The answer.
        narrative: Narrative,
        /// The model.
        model: String,
    },
    /// A notification that was sent.
    Message {
        /// The ids of its messages at the service, in their order.
        ids: Vec<String>,
    },
}

/// A chat with its messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatWithMessages {
    /// The chat.
    pub chat: Chat,
    /// Its messages of a period, oldest first.
    pub messages: Vec<ChatMessage>,
}
