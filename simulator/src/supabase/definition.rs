//! What tables a project has.

use serde_json::{Map, Value};

/// A table of the simulated project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    pub name: String,
    pub columns: Vec<Column>,
    /// Columns of the primary key, the only unique constraint; empty = no key.
    pub key: Vec<String>,
    /// Rows that the SQL which makes the table puts into it.
    pub rows: Vec<Map<String, Value>>,
}

/// A column. It has no default: an absent value is null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    pub nullable: bool,
}

/// The types that a column can have, named as in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// `bigint`
    Integer,
    /// `double precision`
    Number,
    Boolean,
    /// `timestamp with time zone`
    Timestamp,
    Date,
    Uuid,
    /// `jsonb`
    Json,
}

impl TableDefinition {
    /// A table whose columns are given as name, kind and whether null is allowed.
    pub fn new(name: &str, columns: &[(&str, ColumnKind, bool)], key: &[&str]) -> Self {
        let column = |(name, kind, nullable): &(&str, ColumnKind, bool)| Column {
            name: (*name).to_owned(),
            kind: *kind,
            nullable: *nullable,
        };
        Self {
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// The same table with a row from the beginning.
    #[must_use]
    pub fn with_row(mut self, columns: &[(&str, Value)]) -> Self {
        self.rows.push(columns.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
        self
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
