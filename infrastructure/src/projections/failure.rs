//! Whether an event is to blame for a failure, and what may be kept about it.

use std::fmt::Write as _;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use super::ProjectionError;

/// Classes of SQLSTATE that speak of the data at hand: wrong numbers of rows, data that a type or a constraint refuses,
/// limits of the server that a value exceeds, refusals by triggers. All others speak of the server, the connection, the
/// schema or other transactions, and may be different in a moment.
const OF_THE_DATA: [&str; 6] = ["21", "22", "23", "44", "54", "P0"];

/// Beginnings of messages of serde that name a field of the program, not a value.
const NAMES_A_FIELD: [&str; 2] = ["missing field `", "duplicate field `"];

/// Beginnings of messages of serde whose end says what was expected, after the value that was found.
const NAMES_A_VALUE: [&str; 5] =
    ["invalid type", "invalid value", "invalid length", "unknown variant", "unknown field"];

impl ProjectionError {
    /// True where the event is the reason, so that waiting does not help and the other events need not wait.
    pub(super) fn is_of_the_event(&self) -> bool {
        match self {
            Self::Event { .. } => true,
            Self::Database(error) => is_of_the_data(error),
            Self::Stalled { .. } => false,
        }
    }

    /// What happened, in words that hold no value of the event or of a row.
    pub(super) fn without_values(&self) -> String {
        match self {
            Self::Event { source, .. } => format!("{self}: {}", place_in_json(&source.to_string())),
            Self::Database(error) => format!("{self}: {}", place_in_database(error)),
            Self::Stalled { .. } => self.to_string(),
        }
    }
}

fn is_of_the_data(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_)
        | DbErr::Conn(_)
        | DbErr::Exec(RuntimeErr::Internal(_))
        | DbErr::Query(RuntimeErr::Internal(_)) => false,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => match error {
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| OF_THE_DATA.iter().any(|class| code.starts_with(class)))
            }
            sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => true,
            _ => false,
        },
        // The writer itself found fault with what it was given.
        _ => true,
    }
}

fn place_in_database(error: &DbErr) -> String {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return "the writer refuses it".to_owned();
    };
    match error {
        sqlx::Error::Database(error) => refusal(error.as_ref()),
        sqlx::Error::ColumnDecode { index, .. } => format!("the column {index} cannot be read"),
        sqlx::Error::Encode(_) | sqlx::Error::Decode(_) => "a value has no form in the database".to_owned(),
        _ => "the database did not answer".to_owned(),
    }
}

/// The refusal's code and the names in it. Its message may quote the value.
fn refusal(error: &dyn DatabaseError) -> String {
    let mut text = format!("the database refused it with {}", error.code().unwrap_or_default());
    let column = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::column);
    for (kind, name) in [("table", error.table()), ("column", column), ("constraint", error.constraint())] {
        if let Some(name) = name {
            let _ = write!(text, ", {kind} {name}");
        }
    }
    text
}

fn place_in_json(message: &str) -> String {
    if NAMES_A_FIELD.iter().any(|beginning| message.starts_with(beginning)) {
        return message.to_owned();
    }
    let Some(beginning) = NAMES_A_VALUE.iter().find(|beginning| message.starts_with(*beginning)) else {
        return "a field has no valid value".to_owned();
    };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{beginning}, expected {expected}"),
        None => (*beginning).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use application::ports::commands::LogPosition;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Person {
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "age")]
        _age: u8,
        #[serde(rename = "mood")]
        _mood: Mood,
    }

    #[derive(Debug, Deserialize)]
    enum Mood {
        Good,
    }

    fn kept(payload: Value) -> String {
        let source = serde_json::from_value::<Person>(payload).unwrap_err();
        let error = ProjectionError::Event { event_type: "Seen".into(), at: LogPosition::BEGINNING, source };
        assert!(error.is_of_the_event());
        error.without_values()
    }

    /// Seen to fail: with the message of serde kept as it is.
    #[test]
    fn what_is_kept_of_an_unreadable_event_names_places_and_no_values() {
        let cases = [
            (json!({"name": "Ann"}), "missing field `age`"),
            (json!({"name": "Ann", "age": "Ann, expected Ann", "mood": "Good"}), "invalid type, expected u8"),
            (json!({"name": "Ann", "age": 30_000, "mood": "Good"}), "invalid value, expected u8"),
            (json!({"name": "Ann", "age": 3, "mood": "Ann"}), "unknown variant, expected `Good`"),
            (json!({"Ann": 1}), "unknown field, expected one of `name`, `age`, `mood`"),
        ];
        for (payload, expected) in cases {
            assert_eq!(kept(payload), format!("the event Seen at 0-0-0 cannot be read: {expected}"));
        }
        assert_eq!(place_in_json("Ann is not welcome"), "a field has no valid value");
    }

    #[test]
    fn only_the_data_is_blamed_on_the_event() {
        let of_the_event = |error| ProjectionError::from(error).is_of_the_event();
        let query = |error| DbErr::Query(RuntimeErr::SqlxError(error));
        for waited_out in [sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed, sqlx::Error::WorkerCrashed] {
            assert!(!of_the_event(query(waited_out)));
        }
        assert!(!of_the_event(DbErr::Conn(RuntimeErr::Internal("gone".into()))));
        assert!(of_the_event(DbErr::RecordNotUpdated));
        assert!(of_the_event(DbErr::Custom("not a day".into())));
    }
}
