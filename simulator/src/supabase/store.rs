//! The rows of all tables. A write is in the file, as one record, before it is answered.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{TableDefinition, failure::Failure, filter::Filter, prefer::Resolution};
use crate::state::{AppendFile, StateError};

/// A row, or the part of one that a payload gives.
pub(super) type Row = Map<String, Value>;

/// One transaction: whole rows as they are afterwards.
#[derive(Serialize, Deserialize)]
struct Written {
    table: String,
    rows: Vec<Row>,
}

/// A table with its rows in the order of their first insert.
pub(super) struct Table {
    pub(super) definition: TableDefinition,
    pub(super) rows: Vec<Row>,
    by_key: HashMap<String, usize>,
    /// Places of the rows by the first column of the key, as the key's index finds them.
    by_first: HashMap<String, Vec<usize>>,
}

/// What a write did.
pub(super) struct Outcome {
    pub(super) inserted: usize,
    /// Inserted and updated rows as they are now, in the order of the payload.
    pub(super) affected: Vec<Row>,
}

/// All tables of the project.
pub(super) struct Store {
    file: AppendFile,
    tables: Mutex<HashMap<String, Table>>,
}

impl Store {
    pub(super) fn open(path: &Path, definitions: Vec<TableDefinition>) -> Result<Self, StateError> {
        let (file, records) = AppendFile::open::<Written>(path)?;
        let mut tables: HashMap<String, Table> = definitions
            .into_iter()
            .map(|mut definition| {
                let (name, rows) = (definition.name.clone(), std::mem::take(&mut definition.rows));
                let mut table = Table::empty(definition);
                for row in rows {
                    table.put(row);
                }
                (name, table)
            })
            .collect();
        for record in records {
            if let Some(table) = tables.get_mut(&record.table) {
                record.rows.into_iter().for_each(|row| table.put(row));
            }
        }
        Ok(Self { file, tables: Mutex::new(tables) })
    }

    pub(super) fn rows(&self, table: &str) -> Vec<Value> {
        let tables = self.locked();
        tables.get(table).map(|table| table.rows.iter().cloned().map(Value::Object).collect()).unwrap_or_default()
    }

    pub(super) fn row_count(&self, table: &str) -> usize {
        self.locked().get(table).map_or(0, |table| table.rows.len())
    }

    /// Reads a table while nothing else changes it.
    pub(super) fn with<T>(&self, name: &str, read: impl FnOnce(&Table) -> Result<T, Failure>) -> Result<T, Failure> {
        let tables = self.locked();
        let table = tables.get(name).ok_or_else(|| Failure::unknown_table(name, similar(&tables, name)))?;
        read(table)
    }

    /// Writes all rows or none. Rows that stay as they are do not go to the file again.
    pub(super) fn write(
        &self,
        name: &str,
        proposed: Vec<Row>,
        resolution: Option<Resolution>,
    ) -> Result<Outcome, Failure> {
        let mut tables = self.locked();
        let hint = similar(&tables, name).map(ToOwned::to_owned);
        let table = tables.get_mut(name).ok_or_else(|| Failure::unknown_table(name, hint.as_deref()))?;
        let plan = table.plan(proposed, resolution)?;
        if !plan.changed.is_empty() {
            let record = Written { table: name.to_owned(), rows: plan.changed };
            self.file.append(&record).map_err(|error| Failure::storage(&error.to_string()))?;
            record.rows.into_iter().for_each(|row| table.put(row));
        }
        Ok(plan.outcome)
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Table>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a write will do.
struct Plan {
    changed: Vec<Row>,
    outcome: Outcome,
}

impl Table {
    fn empty(definition: TableDefinition) -> Self {
        Self { definition, rows: Vec::new(), by_key: HashMap::new(), by_first: HashMap::new() }
    }

    /// The rows that pass all filters, in the order of their first insert.
    pub(super) fn matching(&self, filters: &[Filter<'_>]) -> Vec<&Row> {
        let fits = |row: &&Row| filters.iter().all(|filter| filter.fits(row));
        let first = self.definition.key.first();
        let exact = filters.iter().filter(|filter| Some(&filter.column.name) == first).find_map(Filter::exact);
        let Some(values) = exact else { return self.rows.iter().filter(fits).collect() };
        let found = values.iter().filter_map(|value| self.by_first.get(&value.to_string())).flatten();
        let places: BTreeSet<usize> = found.copied().collect();
        places.into_iter().map(|place| &self.rows[place]).filter(fits).collect()
    }

    fn plan(&self, proposed: Vec<Row>, resolution: Option<Resolution>) -> Result<Plan, Failure> {
        let mut plan = Plan { changed: Vec::new(), outcome: Outcome { inserted: 0, affected: Vec::new() } };
        let mut touched = HashSet::new();
        for given in proposed {
            let candidate = self.completed(&given)?;
            let key = self.key_of(&candidate);
            let is_new = key.as_ref().is_none_or(|key| touched.insert(key.clone()));
            let existing = key.as_ref().and_then(|key| self.by_key.get(key)).map(|place| &self.rows[*place]);
            let row = match (existing, resolution) {
                (None, _) if is_new => {
                    plan.outcome.inserted += 1;
                    candidate
                }
                (_, None) => return Err(self.duplicate(&candidate)),
                (_, Some(Resolution::Ignore)) => continue,
                (Some(existing), Some(Resolution::Merge)) if is_new => merged(existing, given),
                (_, Some(Resolution::Merge)) => return Err(Failure::row_twice()),
            };
            if existing != Some(&row) {
                plan.changed.push(row.clone());
            }
            plan.outcome.affected.push(row);
        }
        Ok(plan)
    }

    /// The whole row that would be inserted: absent columns are null.
    fn completed(&self, given: &Row) -> Result<Row, Failure> {
        let mut row = Row::new();
        for column in &self.definition.columns {
            let value = given.get(&column.name).cloned().unwrap_or(Value::Null);
            let is_key = self.definition.key.contains(&column.name);
            if value.is_null() && (is_key || !column.nullable) {
                return Err(Failure::null_value(&self.definition.name, &column.name));
            }
            row.insert(column.name.clone(), value);
        }
        Ok(row)
    }

    fn key_of(&self, row: &Row) -> Option<String> {
        let key = &self.definition.key;
        let values: Vec<&Value> = key.iter().filter_map(|name| row.get(name)).collect();
        if key.is_empty() { None } else { serde_json::to_string(&values).ok() }
    }

    fn duplicate(&self, row: &Row) -> Failure {
        let values: Vec<String> = self.definition.key.iter().filter_map(|name| row.get(name)).map(plain).collect();
        Failure::duplicate(&self.definition.name, &self.definition.key, &values.join(", "))
    }

    fn put(&mut self, row: Row) {
        let Some(key) = self.key_of(&row) else {
            self.rows.push(row);
            return;
        };
        if let Some(place) = self.by_key.get(&key) {
            self.rows[*place] = row;
        } else {
            let place = self.rows.len();
            self.by_key.insert(key, place);
            if let Some(value) = self.definition.key.first().and_then(|name| row.get(name)) {
                self.by_first.entry(value.to_string()).or_default().push(place);
            }
            self.rows.push(row);
        }
    }
}

/// The row after `DO UPDATE SET` of the given columns.
fn merged(existing: &Row, given: Row) -> Row {
    let mut row = existing.clone();
    row.extend(given);
    row
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// The table that a misspelt name probably meant: the one with the longest common beginning.
fn similar<'a>(tables: &'a HashMap<String, Table>, name: &str) -> Option<&'a str> {
    let common = |other: &str| name.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let longest = tables.keys().map(|other| (common(other), other.as_str())).max()?;
    (longest.0 >= 3).then_some(longest.1)
}
