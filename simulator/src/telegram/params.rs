//! A method's parameters: from the query, a JSON body, an HTML form or a form with files (Telegram sheet §1).

use std::{collections::HashMap, convert::Infallible};

use futures::{FutureExt, stream};
use multer::Multipart;
use serde_json::Value;

use super::errors::Refusal;
use crate::http::Incoming;

/// Parameters by name; those of the body outrank those of the query.
pub(super) struct Params {
    values: HashMap<String, Value>,
    files: HashMap<String, Vec<u8>>,
}

impl Params {
    pub(super) fn of(call: &Incoming) -> Result<Self, Refusal> {
        let texts = |pairs: Vec<(String, String)>| pairs.into_iter().map(|(name, value)| (name, Value::String(value)));
        let mut values: HashMap<String, Value> = texts(call.params().to_vec()).collect();
        let mut files = HashMap::new();
        if call.body.is_empty() {
            return Ok(Self { values, files });
        }
        let media_type = call.header("content-type").unwrap_or_default();
        if media_type.starts_with("application/json") {
            match call.json() {
                Ok(Value::Object(body)) => values.extend(body),
                _ => return Err(Refusal::BadRequest("the body is not a JSON object")),
            }
        } else if media_type.starts_with("application/x-www-form-urlencoded") {
            values.extend(texts(call.form()));
        } else if media_type.starts_with("multipart/form-data") {
            // The whole body is here, so nothing is waited for.
            let read = multipart(media_type, call.body.clone()).now_or_never();
            let parts = read.and_then(Result::ok).ok_or(Refusal::BadRequest("the body is not a form"))?;
            values.extend(texts(parts.texts));
            files.extend(parts.files);
        } else {
            return Err(Refusal::BadRequest("unsupported content type"));
        }
        Ok(Self { values, files })
    }

    /// A file that was uploaded under this name.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
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

#[derive(Default)]
struct Parts {
    texts: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

async fn multipart(media_type: &str, body: Vec<u8>) -> Result<Parts, multer::Error> {
    let boundary = multer::parse_boundary(media_type)?;
    let mut form = Multipart::new(stream::iter([Ok::<_, Infallible>(body)]), boundary);
    let mut parts = Parts::default();
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() {
            parts.files.push((name, field.bytes().await?.to_vec()));
        } else {
            parts.texts.push((name, field.text().await?));
        }
    }
    Ok(parts)
}
