//! The stand-ins of the outside services.

use std::sync::Arc;

use infrastructure::connectors::supabase::{ColumnType, SCHEMA_VERSION, TABLES, Table, VERSIONS};
use serde_json::Value;
use simulator::{ColumnKind, Limits, SimulatorOptions, Simulators, TableDefinition};

use super::CliError;
use super::company::{Company, Data};
use crate::config::DataDir;

/// Tokens that the demo's model reads: few enough that the whole period is split and merged.
const INPUT_TOKENS: u32 = 65_536;

/// Starts them on the state that the data folder keeps.
pub(super) async fn start(folder: &DataDir, data: &Data, company: &Company) -> Result<Simulators, CliError> {
    let options = SimulatorOptions {
        state_dir: folder.file("services"),
        dialogues: Arc::clone(&data.dialogues),
        accounts: company.accounts.clone(),
        supabase_tables: tables(),
        limits: Limits { gemini_input_tokens: INPUT_TOKENS, ..Limits::default() },
    };
    Ok(Simulators::start(options).await?)
}

/// The tables that Synkro asks a tenant to create in its Supabase project.
pub(in crate::cli) fn tables() -> Vec<TableDefinition> {
    let definition = |table: &Table| {
        let columns: Vec<(&str, ColumnKind, bool)> =
            table.columns.iter().map(|column| (column.name, kind(column.kind), column.nullable)).collect();
        TableDefinition::new(table.name, &columns, table.key)
    };
    let versions = definition(&VERSIONS).with_row(&[("version", SCHEMA_VERSION.into()), ("applied_at", Value::Null)]);
    TABLES.iter().map(|table| definition(table)).chain([versions]).collect()
}

fn kind(kind: ColumnType) -> ColumnKind {
    match kind {
        ColumnType::BigInt => ColumnKind::Integer,
        ColumnType::Text => ColumnKind::Text,
        ColumnType::Timestamp => ColumnKind::Timestamp,
        ColumnType::Uuid => ColumnKind::Uuid,
        ColumnType::Json => ColumnKind::Json,
    }
}
