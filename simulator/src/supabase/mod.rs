//! Supabase's data API (PostgREST), its gateway and its Auth health for one project (Supabase sheet).

mod coerce;
mod definition;
mod failure;
mod filter;
mod gateway;
mod insert;
mod prefer;
mod select;
mod store;

use std::path::Path;

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    accounts::Accounts,
    http::{Answer, Incoming, Reply},
    state::StateError,
};
pub use definition::{Column, ColumnKind, TableDefinition};
use failure::Failure;
use gateway::{Gateway, Role};
use prefer::Preferences;
use store::Store;

/// The project: its keys, its tables and their rows.
pub(crate) struct Supabase {
    gateway: Gateway,
    store: Store,
}

impl Supabase {
    pub(crate) fn open(folder: &Path, accounts: &Accounts, tables: Vec<TableDefinition>) -> Result<Self, StateError> {
        let store = Store::open(&folder.join("supabase.ndjson"), tables)?;
        Ok(Self { gateway: Gateway::new(accounts), store })
    }

    pub(crate) fn rows(&self, table: &str) -> Vec<Value> {
        self.store.rows(table)
    }

    pub(crate) fn row_count(&self, table: &str) -> usize {
        self.store.row_count(table)
    }

    fn rest(&self, call: &Incoming, role: Role, table: &str) -> Result<Reply, Failure> {
        for header in ["accept-profile", "content-profile"] {
            if call.header(header).is_some_and(|schema| schema != "public") {
                return Err(Failure::unknown_schema());
            }
        }
        let preferences = Preferences::of(call)?;
        let reply = match call.method {
            Method::GET | Method::HEAD => select::answer(&self.store, call, role, table, &preferences)?,
            Method::POST => insert::answer(&self.store, call, role, table, &preferences)?,
            _ => return Err(Failure::method_not_allowed(call.method.as_str())),
        };
        Ok(preferences.echo(reply))
    }
}

impl Answer for Supabase {
    fn answer(&self, call: &Incoming) -> Reply {
        let role = match self.gateway.admit(call) {
            Ok(role) => role,
            Err(refusal) => return refusal.into_reply(),
        };
        match call.segments().as_slice() {
            ["auth", "v1", "health"] => Reply::json(
                StatusCode::OK,
                &json!({"version": "v2.189.0", "name": "GoTrue", "description": "User registration and authentication"}),
            ),
            ["auth", "v1", "settings"] => Reply::json(StatusCode::OK, &auth_settings()),
            ["rest", "v1", table] => self.rest(call, role, table).unwrap_or_else(Failure::into_reply),
            _ => Reply::json(StatusCode::NOT_FOUND, &json!({"message": "no Route matched with those values"})),
        }
    }

    fn shown_path(&self, call: &Incoming) -> String {
        call.target_without("apikey")
    }
}

fn auth_settings() -> Value {
    json!({
        "external": {"email": true, "phone": false, "google": false},
        "disable_signup": false, "mailer_autoconfirm": false, "phone_autoconfirm": false,
        "sms_provider": "", "saml_enabled": false,
    })
}

#[cfg(test)]
mod tests;
