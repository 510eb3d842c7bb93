//! The gateway before PostgREST: which key, which role (Supabase sheet §1, §4).

use poem::http::StatusCode;
use serde_json::json;

use crate::{
    accounts::{Accounts, Secret},
    http::{Incoming, Reply},
};

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Bypasses row-level security.
    Service,
    /// Row-level security shows it no rows and lets it write none.
    Anon,
}

/// Knows the project's two keys.
pub(super) struct Gateway {
    service: Secret,
    anon: Secret,
}

/// Why the gateway turned a call away. These bodies have no `code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoKey,
    InvalidKey,
    SecretInBrowser,
    BadAuthorization,
}

impl Gateway {
    pub(super) fn new(accounts: &Accounts) -> Self {
        Self { service: accounts.supabase_service_key.clone(), anon: accounts.supabase_anon_key.clone() }
    }

    /// The role of the key. A bearer JWT of the project outranks the `apikey`; a new-style key may only be repeated.
    pub(super) fn admit(&self, call: &Incoming) -> Result<Role, Refusal> {
        let key = call.header("apikey").or_else(|| call.param("apikey")).ok_or(Refusal::NoKey)?;
        let role = self.role(key).ok_or(Refusal::InvalidKey)?;
        if key.starts_with("sb_secret_") && call.header("user-agent").is_some_and(|agent| agent.contains("Mozilla/")) {
            return Err(Refusal::SecretInBrowser);
        }
        if call.header("authorization").is_none() {
            return Ok(role);
        }
        let bearer = call.bearer().ok_or(Refusal::BadAuthorization)?;
        if bearer == key {
            return Ok(role);
        }
        let is_jwt = bearer.split('.').count() == 3;
        self.role(bearer).filter(|_| is_jwt).ok_or(Refusal::BadAuthorization)
    }

    fn role(&self, key: &str) -> Option<Role> {
        if key == self.service.expose() {
            Some(Role::Service)
        } else if key == self.anon.expose() {
            Some(Role::Anon)
        } else {
            None
        }
    }
}

impl Refusal {
    pub(super) fn into_reply(self) -> Reply {
        let (message, hint) = match self {
            Self::NoKey => ("No API key found in request", "No `apikey` request header or url param was found."),
            Self::InvalidKey => ("Invalid API key", "Double check your Supabase `anon` or `service_role` API key."),
            Self::SecretInBrowser => {
                ("Forbidden use of secret API key in browser", "Secret API keys are for servers only.")
            }
            Self::BadAuthorization => {
                ("Invalid API key", "The Authorization header does not hold a key of this project.")
            }
        };
        Reply::json(StatusCode::UNAUTHORIZED, &json!({"message": message, "hint": hint}))
            .header("www-authenticate", "Bearer")
    }
}
