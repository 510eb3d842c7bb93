//! A method's parameters: from the query, a JSON body or an HTML form (Telegram sheet §1).

use std::collections::HashMap;

use serde_json::Value;

use super::errors::Refusal;
use crate::http::Incoming;

/// Parameters by name; those of the body outrank those of the query.
pub(super) struct Params {
    values: HashMap<String, Value>,
}

impl Params {
    pub(super) fn of(call: &Incoming) -> Result<Self, Refusal> {
        let texts = |pairs: Vec<(String, String)>| pairs.into_iter().map(|(name, value)| (name, Value::String(value)));
        let mut values: HashMap<String, Value> = texts(call.params().to_vec()).collect();
        if call.body.is_empty() {
            return Ok(Self { values });
        }
        let media_type = call.header("content-type").unwrap_or_default();
        if media_type.starts_with("application/json") {
            match call.json() {
                Ok(Value::Object(body)) => values.extend(body),
                _ => return Err(Refusal::BadRequest("the body is not a JSON object")),
            }
        } else if media_type.starts_with("application/x-www-form-urlencoded") {
            values.extend(texts(call.form()));
        } else {
            return Err(Refusal::BadRequest("unsupported content type"));
        }
        Ok(Self { values })
    }

    /// A text, or a number as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
