//! Reads (Supabase sheet §3).

use std::cmp::Ordering;

use poem::http::StatusCode;
use serde_json::Value;

use super::{
    Column, TableDefinition,
    failure::Failure,
    filter,
    gateway::Role,
    prefer::Preferences,
    store::{Row, Store},
};
use crate::http::{Incoming, Reply};

/// Rows that one answer holds at most, whatever the caller asks for (`max-rows` of a new project).
const MAX_ROWS: usize = 1000;

pub(super) fn answer(
    store: &Store,
    call: &Incoming,
    role: Role,
    table: &str,
    preferences: &Preferences,
) -> Result<Reply, Failure> {
    store.with(table, |table| {
        let definition = &table.definition;
        let selection = Selection::of(call, definition)?;
        let filters = filter::all(call, definition)?;
        let order = order(call, definition)?;
        let offset = whole(call, "offset")?.unwrap_or(0);
        let limit = whole(call, "limit")?.unwrap_or(MAX_ROWS).min(MAX_ROWS);
        let mut matching: Vec<&Row> = match role {
            Role::Service => table.matching(&filters),
            Role::Anon => Vec::new(),
        };
        matching.sort_by(|one, other| compare(&order, one, other));
        let page = Page { total: matching.len(), offset, limit, counted: preferences.count };
        let rows = matching.into_iter().skip(offset).take(limit);
        page.reply(&selection.rows(rows))
    })
}

/// The columns that an answer shows.
pub(super) struct Selection {
    columns: Option<Vec<String>>,
}

impl Selection {
    /// `select=a,b`; `*` or nothing shows all.
    pub(super) fn of(call: &Incoming, definition: &TableDefinition) -> Result<Self, Failure> {
        let Some(named) = call.param("select").filter(|named| !matches!(named.trim(), "" | "*")) else {
            return Ok(Self { columns: None });
        };
        let columns: Vec<String> = named.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect();
        match columns.iter().find(|name| definition.column(name).is_none()) {
            Some(unknown) => Err(Failure::unknown_column(&definition.name, unknown)),
            None => Ok(Self { columns: Some(columns) }),
        }
    }

    pub(super) fn rows<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> Value {
        Value::Array(rows.map(|row| Value::Object(self.row(row))).collect())
    }

    fn row(&self, row: &Row) -> Row {
        match &self.columns {
            None => row.clone(),
            Some(columns) => columns
                .iter()
                .filter_map(|name| row.get_key_value(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }
}

/// Which part of the matching rows an answer holds.
struct Page {
    total: usize,
    offset: usize,
    limit: usize,
    counted: bool,
}

impl Page {
    /// 200, 206 when counted and incomplete, 416 when counted and beyond the end.
    fn reply(&self, rows: &Value) -> Result<Reply, Failure> {
        let shown = self.total.saturating_sub(self.offset).min(self.limit);
        if self.counted && self.offset > 0 && self.offset >= self.total {
            return Err(Failure::offset_beyond(self.offset, self.total));
        }
        let is_partial = self.counted && shown < self.total;
        let status = if is_partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let total = total(self.counted, self.total);
        let range = match shown {
            0 => format!("*/{total}"),
            _ => format!("{}-{}/{total}", self.offset, self.offset + shown - 1),
        };
        Ok(Reply::json(status, rows).header("content-range", range))
    }
}

/// The total of a Content-Range.
pub(super) fn total(counted: bool, total: usize) -> String {
    if counted { total.to_string() } else { "*".into() }
}

fn whole(call: &Incoming, name: &str) -> Result<Option<usize>, Failure> {
    let Some(text) = call.param(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Failure::bad_query(format!("{name} is not a whole number: {text}")))
}

/// One part of `order=`.
struct Order<'a> {
    column: &'a Column,
    descending: bool,
    nulls_first: bool,
}

/// `order=a.desc.nullslast,b`. Like PostgreSQL, nulls come last, and first when descending.
fn order<'a>(call: &Incoming, definition: &'a TableDefinition) -> Result<Vec<Order<'a>>, Failure> {
    let Some(named) = call.param("order") else { return Ok(Vec::new()) };
    named
        .split(',')
        .map(|part| {
            let mut words = part.trim().split('.');
            let name = words.next().unwrap_or_default();
            let column = definition.column(name).ok_or_else(|| Failure::unknown_column(&definition.name, name))?;
            let mut order = Order { column, descending: false, nulls_first: false };
            for word in words {
                match word {
                    "asc" => {}
                    "desc" => (order.descending, order.nulls_first) = (true, true),
                    "nullsfirst" => order.nulls_first = true,
                    "nullslast" => order.nulls_first = false,
                    _ => return Err(Failure::bad_query(format!("failed to parse order ({part})"))),
                }
            }
            Ok(order)
        })
        .collect()
}

fn compare(orders: &[Order<'_>], one: &Row, other: &Row) -> Ordering {
    orders.iter().map(|order| order.compare(one, other)).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

impl Order<'_> {
    fn compare(&self, one: &Row, other: &Row) -> Ordering {
        let value = |row| Row::get(row, &self.column.name).filter(|value| !value.is_null());
        let (first, last) =
            if self.nulls_first { (Ordering::Less, Ordering::Greater) } else { (Ordering::Greater, Ordering::Less) };
        match (value(one), value(other)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => first,
            (Some(_), None) => last,
            (Some(one), Some(other)) => {
                let found = self.column.kind.compare(one, other).unwrap_or(Ordering::Equal);
                if self.descending { found.reverse() } else { found }
            }
        }
    }
}
