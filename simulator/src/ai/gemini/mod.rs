//! Gemini's API v1beta (Gemini sheet §1–5).

mod request;
mod status;

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    engine::{self, Completion, Prompt},
    models::{self, Model},
};
use crate::{
    accounts::{Accounts, Secret},
    http::{Answer, Incoming, Reply},
    limits::{Limits, Window},
};
use request::Request;
use status::Status;

const DEFAULT_PAGE: usize = 50;

/// The project: its key, its models, its quota of requests.
pub(crate) struct Gemini {
    key: Secret,
    models: Vec<Model>,
    most_on_page: usize,
    quota: u32,
    requests: Window<&'static str>,
}

impl Gemini {
    pub(crate) fn new(accounts: &Accounts, limits: Limits) -> Self {
        Self {
            key: accounts.gemini_key.clone(),
            models: models::gemini(limits),
            most_on_page: limits.gemini_models_per_page as usize,
            quota: limits.gemini_per_minute,
            requests: Window::new(limits.gemini_per_minute, Duration::from_mins(1)),
        }
    }

    fn route(&self, call: &Incoming) -> Result<Value, Status> {
        let key = call.header("x-goog-api-key").or_else(|| call.param("key")).ok_or(Status::NoKey)?;
        if key != self.key.expose() {
            return Err(Status::BadKey);
        }
        let segments = call.segments();
        let ["v1beta", "models", rest @ ..] = segments.as_slice() else { return Err(Status::NoSuchPath) };
        match (&call.method, rest) {
            (&Method::GET, []) => self.list(call),
            (&Method::GET, [id]) => Ok(shown(self.model(id)?)),
            (&Method::POST, [target]) => match target.split_once(':') {
                Some((id, "generateContent")) => self.generate(self.model(id)?, call),
                _ => Err(Status::NoSuchPath),
            },
            _ => Err(Status::NoSuchPath),
        }
    }

    fn model(&self, id: &str) -> Result<&Model, Status> {
        self.models.iter().find(|model| model.id == id).ok_or_else(|| Status::NoSuchModel { id: id.to_owned() })
    }

    fn list(&self, call: &Incoming) -> Result<Value, Status> {
        let size = match call.param("pageSize").map(str::parse::<usize>) {
            None | Some(Ok(0)) => DEFAULT_PAGE.min(self.most_on_page),
            Some(Ok(size)) => size.min(self.most_on_page),
            Some(Err(_)) => return Err(Status::invalid("pageSize is not a whole number")),
        };
        let start = match call.param("pageToken").filter(|token| !token.is_empty()) {
            None => 0,
            Some(token) => {
                let after =
                    token.strip_prefix("after-").and_then(|id| self.models.iter().position(|model| model.id == id));
                after.ok_or_else(|| Status::invalid("pageToken is not one of this list"))? + 1
            }
        };
        let end = (start + size).min(self.models.len());
        let mut page = json!({"models": self.models[start..end].iter().map(shown).collect::<Vec<_>>()});
        if end < self.models.len() {
            page["nextPageToken"] = Value::String(format!("after-{}", self.models[end - 1].id));
        }
        Ok(page)
    }

    fn generate(&self, model: &Model, call: &Incoming) -> Result<Value, Status> {
        if !model.generates {
            return Err(Status::NotSupported { id: model.id.to_owned() });
        }
        let value = call.json().map_err(|error| Status::invalid(format!("the body is not JSON: {error}")))?;
        let request = Request::deserialize(value).map_err(|error| Status::invalid(error.to_string()))?;
        let (prompt, form) = request.read()?;
        self.requests.pass(model.id).map_err(|wait| Status::Quota {
            model: model.id.to_owned(),
            quota: self.quota,
            wait,
        })?;
        let tokens = prompt.tokens();
        if tokens > model.input_limit as usize {
            let limit = model.input_limit;
            return Err(Status::invalid(format!("the input has {tokens} tokens; this model takes {limit} at most")));
        }
        let completion = engine::complete(&prompt, &form, request.max_tokens(model.output_limit));
        Ok(response(model, &prompt, &completion))
    }
}

impl Answer for Gemini {
    fn answer(&self, call: &Incoming) -> Reply {
        match self.route(call) {
            Ok(body) => Reply::json(StatusCode::OK, &body),
            Err(status) => status.into_reply(),
        }
    }

    fn shown_path(&self, call: &Incoming) -> String {
        call.target_without("key")
    }
}

fn shown(model: &Model) -> Value {
    let methods: &[&str] = if model.generates { &["generateContent", "countTokens"] } else { &["embedContent"] };
    json!({
        "name": format!("models/{}", model.id), "version": "001", "displayName": model.display_name,
        "description": "Simulated: derives its answers from the prompt by counting words",
        "inputTokenLimit": model.input_limit, "outputTokenLimit": model.output_limit,
        "supportedGenerationMethods": methods,
    })
}

fn response(model: &Model, prompt: &Prompt, completion: &Completion) -> Value {
    let (given, made) = (prompt.tokens(), completion.tokens());
    json!({
        "candidates": [{
            "content": {"parts": [{"text": completion.text}], "role": "model"},
            "finishReason": if completion.is_truncated { "MAX_TOKENS" } else { "STOP" },
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": given, "candidatesTokenCount": made, "totalTokenCount": given + made,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": given}],
        },
        "modelVersion": model.id,
        "responseId": Uuid::new_v5(&Uuid::NAMESPACE_OID, completion.text.as_bytes()).simple().to_string(),
    })
}
