//! What the simulators of a test system begin with.

use std::io::Cursor;

use infrastructure::connectors::supabase::{ColumnType, Table};
use simulator::{Accounts, ColumnKind, DEMO_DIALOGUES, DialogueSet, Secret, TableDefinition};

use crate::secrets::Secrets;

pub(crate) fn first_dialogues(count: usize) -> DialogueSet {
    let lines: Vec<&str> = DEMO_DIALOGUES.lines().take(count).collect();
    DialogueSet::parse(Cursor::new(lines.join("\n"))).expect("the demo's data is good")
}

pub(crate) fn secrets_of(accounts: &Accounts) -> Secrets {
    let secrets = Secrets::default();
    let all: [&Secret; 7] = [
        &accounts.amocrm_token,
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

/// The tables that Synkro asks a tenant to create in its Supabase project.
pub(crate) fn definition(table: &Table) -> TableDefinition {
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
