//! The `Prefer` header (Supabase sheet §2).

use super::failure::Failure;
use crate::http::{Incoming, Reply};

/// What happens when a row with the same key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    Merge,
    Ignore,
}

/// What a write answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Return {
    #[default]
    Minimal,
    HeadersOnly,
    Representation,
}

/// The preferences that were understood.
#[derive(Debug, Default)]
pub(super) struct Preferences {
    pub(super) resolution: Option<Resolution>,
    pub(super) returns: Return,
    /// Whether the total is counted into Content-Range. Planned and estimated counts are exact here.
    pub(super) count: bool,
    applied: Vec<String>,
}

impl Preferences {
    /// Unknown ones are passed over, unless `handling=strict` asks for an error.
    pub(super) fn of(call: &Incoming) -> Result<Self, Failure> {
        let mut preferences = Self::default();
        let mut unknown = Vec::new();
        let tokens = call.headers("prefer").flat_map(|value| value.split(','));
        for token in tokens.map(str::trim).filter(|token| !token.is_empty()) {
            if preferences.take(token) {
                preferences.applied.push(token.to_owned());
            } else {
                unknown.push(token.to_owned());
            }
        }
        let is_strict = preferences.applied.iter().any(|token| token == "handling=strict");
        if is_strict && !unknown.is_empty() { Err(Failure::unknown_preferences(&unknown)) } else { Ok(preferences) }
    }

    fn take(&mut self, token: &str) -> bool {
        match token {
            "resolution=merge-duplicates" => self.resolution = Some(Resolution::Merge),
            "resolution=ignore-duplicates" => self.resolution = Some(Resolution::Ignore),
            "return=minimal" => self.returns = Return::Minimal,
            "return=headers-only" => self.returns = Return::HeadersOnly,
            "return=representation" => self.returns = Return::Representation,
            "count=exact" | "count=planned" | "count=estimated" => self.count = true,
            // Columns have no defaults here, so the default of an absent one is null either way.
            "missing=default" | "handling=strict" | "handling=lenient" => {}
            _ => return false,
        }
        true
    }

    /// Says in the answer which preferences were honoured.
    pub(super) fn echo(&self, reply: Reply) -> Reply {
        if self.applied.is_empty() { reply } else { reply.header("preference-applied", self.applied.join(", ")) }
    }
}
