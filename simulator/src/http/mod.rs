//! What all services share of HTTP: a call, a reply, and the gate between them and the network.

mod connection;
mod gate;
mod incoming;
mod reply;

use serde::{Deserialize, Serialize};

pub(crate) use connection::{CutAcceptor, OpenConnections};
pub(crate) use gate::{Desk, Gate};
pub(crate) use incoming::Incoming;
pub(crate) use reply::Reply;

/// One of the services that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    Amocrm,
    Radist,
    Supabase,
    Gemini,
    Openai,
    Telegram,
}

impl Service {
    pub const ALL: [Self; 6] = [Self::Amocrm, Self::Radist, Self::Supabase, Self::Gemini, Self::Openai, Self::Telegram];

    /// The service of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The name in files and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amocrm => "amocrm",
            Self::Radist => "radist",
            Self::Supabase => "supabase",
            Self::Gemini => "gemini",
            Self::Openai => "openai",
            Self::Telegram => "telegram",
        }
    }
}

/// What a service does with a call. It may block: it is called on a thread for blocking work.
pub(crate) trait Answer: Send + Sync + 'static {
    fn answer(&self, call: &Incoming) -> Reply;

    /// The path with its query as the journal may show it: without secrets.
    fn shown_path(&self, call: &Incoming) -> String {
        call.target()
    }
}
