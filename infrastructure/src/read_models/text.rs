//! Enums of the domain as the text that tables hold, and back. The text is the frozen name that events carry.

use application::PortError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::internal;

/// The frozen name of a unit variant.
pub(crate) fn to_text<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => unreachable!("only unit variants are kept as text, not {other:?}"),
    }
}

/// The variant of a frozen name.
pub(crate) fn from_text<T: DeserializeOwned>(table: &str, column: &str, text: &str) -> Result<T, PortError> {
    T::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text))
        .map_err(|error| internal(format!("{table}.{column} holds {text:?}: {error}")))
}

/// A JSON column as a type.
pub(crate) fn from_json<T: DeserializeOwned>(
    table: &str,
    column: &str,
    json: serde_json::Value,
) -> Result<T, PortError> {
    serde_json::from_value(json).map_err(|error| internal(format!("{table}.{column} cannot be read: {error}")))
}

/// A type as a JSON column.
pub(crate) fn to_json<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_else(|error| unreachable!("events are JSON already: {error}"))
}
