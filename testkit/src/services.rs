//! What the simulators of a test system begin with.

use std::io::Cursor;
use std::time::Duration;

use infrastructure::connectors::CircuitOptions;
use infrastructure::connectors::supabase::{ColumnType, SCHEMA_VERSION, TABLES, Table, VERSIONS};
use serde_json::Value;
use simulator::{Accounts, ColumnKind, DEMO_DIALOGUES, DialogueSet, Secret, TableDefinition};

use crate::app::TestAppBuilder;
use crate::secrets::Secrets;

pub(crate) fn first_dialogues(count: usize) -> DialogueSet {
    let lines: Vec<&str> = DEMO_DIALOGUES.lines().take(count).collect();
    DialogueSet::parse(Cursor::new(lines.join("\n"))).expect("the demo's data is good")
}

/// A circuit that opens for a moment only: tests that break a service count how often it is asked.
pub(crate) fn forgiving() -> CircuitOptions {
    let pause = Duration::from_millis(1);
    CircuitOptions { first_pause: pause, longest_pause: pause, ..CircuitOptions::default() }
}

impl TestAppBuilder {
    /// When a service that is out of order is left alone; for a moment only, where a test does not say.
    #[must_use]
    pub fn circuit(mut self, circuit: CircuitOptions) -> Self {
        self.circuit = circuit;
        self
    }
}

pub(crate) fn secrets_of(accounts: &Accounts) -> Secrets {
    let secrets = Secrets::default();
    let all: [&Secret; 8] = [
        &accounts.amocrm_token,
        &accounts.amocrm_client_secret,
        &accounts.radist_key,
        &accounts.supabase_service_key,
        &accounts.supabase_anon_key,
        &accounts.gemini_key,
        &accounts.openai_key,
        &accounts.telegram_token,
    ];
    for secret in all {
        secrets.add(secret.expose());
    }
    secrets
}

/// The tables that Synkro asks a tenant to create in its Supabase project, as its SQL leaves them.
pub(crate) fn tables() -> Vec<TableDefinition> {
    let versions = definition(&VERSIONS).with_row(&[("version", SCHEMA_VERSION.into()), ("applied_at", Value::Null)]);
    TABLES.iter().map(|table| definition(table)).chain([versions]).collect()
}

fn definition(table: &Table) -> TableDefinition {
    let kind = |kind| match kind {
        ColumnType::BigInt => ColumnKind::Integer,
        ColumnType::Text => ColumnKind::Text,
        ColumnType::Timestamp => ColumnKind::Timestamp,
        ColumnType::Uuid => ColumnKind::Uuid,
        ColumnType::Json => ColumnKind::Json,
    };
    let columns: Vec<(&str, ColumnKind, bool)> =
        table.columns.iter().map(|column| (column.name, kind(column.kind), column.nullable)).collect();
    TableDefinition::new(table.name, &columns, table.key)
}
