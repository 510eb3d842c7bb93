//! Values as columns take and show them, like PostgreSQL's input and output of JSON.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{ColumnKind, failure::Failure};

const INVALID_TEXT: &str = "22P02";
const INVALID_TIME: &str = "22007";

impl ColumnKind {
    fn sql_name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Number => "double precision",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp with time zone",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Json => "jsonb",
        }
    }

    /// A value of a payload as the column stores it.
    pub(super) fn store(self, value: &Value) -> Result<Value, Failure> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Json, _) | (Self::Number, Value::Number(_)) | (Self::Boolean, Value::Bool(_)) => Ok(value.clone()),
            (_, Value::String(text)) => self.read(text),
            (Self::Integer, Value::Number(number)) if number.is_i64() => Ok(value.clone()),
            (_, other) => self.read(&other.to_string()),
        }
    }

    /// A value written as text, as in a filter.
    pub(super) fn read(self, text: &str) -> Result<Value, Failure> {
        let bad = |code| Failure::bad_value(code, self.sql_name(), text);
        match self {
            Self::Text => Ok(Value::from(text)),
            Self::Integer => text.trim().parse::<i64>().map(Value::from).map_err(|_| bad(INVALID_TEXT)),
            Self::Number => text.trim().parse::<f64>().map(Value::from).map_err(|_| bad(INVALID_TEXT)),
            Self::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "on" | "1" => Ok(Value::Bool(true)),
                "false" | "f" | "no" | "off" | "0" => Ok(Value::Bool(false)),
                _ => Err(bad(INVALID_TEXT)),
            },
            Self::Timestamp => time(text).map(shown_time).ok_or_else(|| bad(INVALID_TIME)),
            Self::Date => date(text).map(|date| Value::from(date.to_string())).ok_or_else(|| bad(INVALID_TIME)),
            Self::Uuid => Uuid::parse_str(text.trim())
                .map(|id| Value::from(id.hyphenated().to_string()))
                .map_err(|_| bad(INVALID_TEXT)),
            Self::Json => serde_json::from_str(text).map_err(|_| bad(INVALID_TEXT)),
        }
    }

    /// The order of two stored values that are not null; none for JSON.
    pub(super) fn compare(self, one: &Value, other: &Value) -> Option<Ordering> {
        match self {
            Self::Integer => Some(one.as_i64()?.cmp(&other.as_i64()?)),
            Self::Number => one.as_f64()?.partial_cmp(&other.as_f64()?),
            Self::Boolean => Some(one.as_bool()?.cmp(&other.as_bool()?)),
            Self::Timestamp => Some(time(one.as_str()?)?.cmp(&time(other.as_str()?)?)),
            Self::Text | Self::Date | Self::Uuid => Some(one.as_str()?.cmp(other.as_str()?)),
            Self::Json => (one == other).then_some(Ordering::Equal),
        }
    }
}

/// An instant; without a zone it is UTC, as in a database whose time zone is UTC.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let naive = |format| NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| naive("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| naive("%Y-%m-%d %H:%M:%S%.f"))
        .ok()
        .or_else(|| Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc()))
        .map(|at| at.round_subsecs(6))
}

fn date(text: &str) -> Option<NaiveDate> {
    time(text).map(|at| at.date_naive())
}

/// As PostgreSQL writes it into JSON: microseconds without trailing zeros, offset with a colon.
fn shown_time(at: DateTime<Utc>) -> Value {
    let fraction = at.format("%.6f").to_string();
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    Value::from(format!("{}{fraction}+00:00", at.format("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_stored_as_postgresql_would_show_them() {
        let cases = [
            (ColumnKind::Text, json!(7), json!("7")),
            (ColumnKind::Integer, json!("42"), json!(42)),
            (ColumnKind::Number, json!("1.5"), json!(1.5)),
            (ColumnKind::Boolean, json!("t"), json!(true)),
            (ColumnKind::Timestamp, json!("2026-06-01T09:00:00Z"), json!("2026-06-01T09:00:00+00:00")),
            (ColumnKind::Timestamp, json!("2026-06-01 14:00:00.120+05"), json!("2026-06-01T09:00:00.12+00:00")),
            (ColumnKind::Date, json!("2026-06-01"), json!("2026-06-01")),
            (
                ColumnKind::Uuid,
                json!("0190163D-8694-739B-AEA5-966C26F8AD90"),
                json!("0190163d-8694-739b-aea5-966c26f8ad90"),
            ),
            (ColumnKind::Json, json!({"a": [1]}), json!({"a": [1]})),
            (ColumnKind::Integer, Value::Null, Value::Null),
        ];
        for (kind, given, stored) in cases {
            assert_eq!(kind.store(&given).unwrap(), stored, "{kind:?}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused() {
        for (kind, given, code) in [
            (ColumnKind::Integer, json!(7.5), "22P02"),
            (ColumnKind::Integer, json!("seven"), "22P02"),
            (ColumnKind::Timestamp, json!("soon"), "22007"),
            (ColumnKind::Uuid, json!("1"), "22P02"),
            (ColumnKind::Boolean, json!("maybe"), "22P02"),
        ] {
            assert_eq!(kind.store(&given).unwrap_err().code, code);
        }
    }
}
