//! Faithful local stand-ins of the services that a tenant connects: amoCRM, Radist, Supabase, Gemini, an
//! OpenAI-compatible provider and Telegram. They serve the demo and the tests; production code never links them.
//!
//! [`DialogueSet`] reads a file of customer-service dialogues, and [`Simulators::start`] makes a little company out of it:
//! every dialogue is a contact with a phone, a deal, a chat and its messages. Each service listens on its own loopback
//! port, checks its credentials, pages, throttles and fails in the shapes of its contract. What a service is told
//! (rows, messages) and the journal of calls outlive the process: they are in files before the answer leaves.

mod accounts;
mod ai;
mod amocrm;
mod clock;
mod control;
mod dialogues;
mod faults;
mod http;
mod limits;
mod radist;
mod server;
mod state;
mod supabase;
mod telegram;
mod world;

pub use accounts::{Accounts, Secret};
pub use amocrm::AmocrmGrants;
pub use control::{Control, USAGE as CONTROL_USAGE};
pub use dialogues::{
    BadLine, BadLines, Dialogue, DialogueFileError, DialogueSet, LineProblem, Message, Size, SizeError, Speaker,
    TimeBasis,
};
pub use faults::{Fault, FaultKind, Faults};
pub use http::Service;
pub use limits::Limits;
pub use server::{Endpoints, SimulatorError, SimulatorOptions, Simulators};
pub use state::{Call, StateError};
pub use supabase::{Column, ColumnKind, TableDefinition};
pub use telegram::{TelegramMessage, TelegramPhoto};

/// The dialogues that the demo runs on (`simulator/data/README.md` says where they come from and under which licences).
pub const DEMO_DIALOGUES: &str = include_str!("../data/dialogs-small.jsonl");
