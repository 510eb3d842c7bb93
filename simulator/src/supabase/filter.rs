//! Horizontal filters: `column=operator.value` (Supabase sheet §3).

use std::cmp::Ordering;

use serde_json::Value;

use super::{Column, ColumnKind, TableDefinition, failure::Failure, store::Row};
use crate::http::Incoming;

/// Parameters that are no filters.
const RESERVED: [&str; 7] = ["select", "order", "limit", "offset", "columns", "on_conflict", "apikey"];

/// One condition on a column.
pub(super) struct Filter<'a> {
    pub(super) column: &'a Column,
    negated: bool,
    operator: Operator,
}

enum Operator {
    Equal(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    In(Vec<Value>),
    Is(Value),
}

/// All filters of a call. An operator that is not simulated is an error, not a filter that always holds.
pub(super) fn all<'a>(call: &Incoming, definition: &'a TableDefinition) -> Result<Vec<Filter<'a>>, Failure> {
    call.params()
        .iter()
        .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
        .map(|(name, condition)| {
            if matches!(name.as_str(), "or" | "and" | "not.or" | "not.and") {
                return Err(Failure::bad_query(format!("logical filters are not simulated: {name}")));
            }
            let column = definition.column(name).ok_or_else(|| Failure::unknown_column(&definition.name, name))?;
            Filter::parse(column, condition)
        })
        .collect()
}

impl<'a> Filter<'a> {
    fn parse(column: &'a Column, condition: &str) -> Result<Self, Failure> {
        let (negated, rest) = match condition.strip_prefix("not.") {
            Some(rest) => (true, rest),
            None => (false, condition),
        };
        let bad = || Failure::bad_query(format!("failed to parse filter ({condition})"));
        let (name, operand) = rest.split_once('.').ok_or_else(bad)?;
        let value = || column.kind.read(operand);
        let (negated, operator) = match name {
            "eq" => (negated, Operator::Equal(value()?)),
            "neq" => (!negated, Operator::Equal(value()?)),
            "lt" => (negated, Operator::Less(value()?)),
            "lte" => (negated, Operator::LessOrEqual(value()?)),
            "gt" => (negated, Operator::Greater(value()?)),
            "gte" => (negated, Operator::GreaterOrEqual(value()?)),
            "in" => (negated, Operator::In(list(column.kind, operand).ok_or_else(bad)??)),
            "is" => (negated, Operator::Is(is_operand(operand).ok_or_else(bad)?)),
            _ => return Err(bad()),
        };
        Ok(Self { column, negated, operator })
    }

    /// The only values that pass, for columns whose equal values are written alike; none where there are others.
    pub(super) fn exact(&self) -> Option<&[Value]> {
        let alike = matches!(self.column.kind, ColumnKind::Integer | ColumnKind::Text | ColumnKind::Uuid);
        match &self.operator {
            _ if self.negated || !alike => None,
            Operator::Equal(value) => Some(std::slice::from_ref(value)),
            Operator::In(values) => Some(values),
            _ => None,
        }
    }

    /// Whether it holds for a row.
    pub(super) fn fits(&self, row: &Row) -> bool {
        self.holds(row.get(&self.column.name).unwrap_or(&Value::Null))
    }

    /// SQL's logic: a comparison with null holds neither as it is nor negated.
    fn holds(&self, value: &Value) -> bool {
        if let Operator::Is(expected) = &self.operator {
            return (value == expected) != self.negated;
        }
        !value.is_null() && self.compares(value) != self.negated
    }

    fn compares(&self, value: &Value) -> bool {
        let order = |operand: &Value| self.column.kind.compare(value, operand);
        match &self.operator {
            Operator::Equal(operand) | Operator::Is(operand) => order(operand) == Some(Ordering::Equal),
            Operator::Less(operand) => order(operand) == Some(Ordering::Less),
            Operator::LessOrEqual(operand) => order(operand).is_some_and(Ordering::is_le),
            Operator::Greater(operand) => order(operand) == Some(Ordering::Greater),
            Operator::GreaterOrEqual(operand) => order(operand).is_some_and(Ordering::is_ge),
            Operator::In(operands) => operands.iter().any(|operand| order(operand) == Some(Ordering::Equal)),
        }
    }
}

fn is_operand(text: &str) -> Option<Value> {
    match text.to_ascii_lowercase().as_str() {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// `(a,b,"c,d")`: quotes protect commas, a backslash protects a quote.
fn list(kind: ColumnKind, text: &str) -> Option<Result<Vec<Value>, Failure>> {
    let inside = text.strip_prefix('(')?.strip_suffix(')')?;
    let mut items = vec![String::new()];
    let mut quoted = false;
    let mut letters = inside.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => items.push(String::new()),
            _ => {
                let taken = if letter == '\\' && quoted { letters.next()? } else { letter };
                items.last_mut()?.push(taken);
            }
        }
    }
    if inside.is_empty() {
        return Some(Ok(Vec::new()));
    }
    (!quoted).then(|| items.iter().map(|item| kind.read(item)).collect())
}
