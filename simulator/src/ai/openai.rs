//! The API that OpenAI-compatible providers share (Gemini sheet §6.2).

use std::time::Duration;

use poem::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    engine::{self, Completion, Form, Prompt},
    models::{self, Model},
};
use crate::{
    accounts::{Accounts, Secret},
    clock,
    http::{Answer, Incoming, Reply},
    limits::{Limits, Window, whole_seconds},
};

/// The account: its key, its models, its pace.
pub(crate) struct Openai {
    key: Secret,
    models: Vec<Model>,
    requests: Window<&'static str>,
}

/// Why a call fails.
enum Failure {
    BadKey,
    NoSuchPath,
    NoSuchModel { id: String },
    Invalid { message: String, code: Option<&'static str> },
    TooMany { wait: Duration },
}

#[derive(Deserialize)]
struct Request {
    model: String,
    messages: Vec<Message>,
    #[serde(default, alias = "max_completion_tokens")]
    max_tokens: Option<u32>,
    #[serde(default)]
    response_format: Option<ResponseFormat>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message {
    role: Role,
    content: Content,
}

#[derive(PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Deserialize)]
struct NamedSchema {
    schema: Value,
}

impl Openai {
    pub(crate) fn new(accounts: &Accounts, limits: Limits) -> Self {
        Self {
            key: accounts.openai_key.clone(),
            models: models::openai(limits),
            requests: Window::new(limits.gemini_per_minute, Duration::from_mins(1)),
        }
    }

    fn route(&self, call: &Incoming) -> Result<Value, Failure> {
        if call.bearer() != Some(self.key.expose()) {
            return Err(Failure::BadKey);
        }
        match (&call.method, call.segments().as_slice()) {
            (&Method::GET, ["v1", "models"]) => {
                Ok(json!({"object": "list", "data": self.models.iter().map(shown).collect::<Vec<_>>()}))
            }
            (&Method::GET, ["v1", "models", id]) => Ok(shown(self.model(id)?)),
            (&Method::POST, ["v1", "chat", "completions"]) => self.complete(call),
            _ => Err(Failure::NoSuchPath),
        }
    }

    fn model(&self, id: &str) -> Result<&Model, Failure> {
        self.models.iter().find(|model| model.id == id).ok_or_else(|| Failure::NoSuchModel { id: id.to_owned() })
    }

    fn complete(&self, call: &Incoming) -> Result<Value, Failure> {
        let request: Request =
            serde_json::from_slice(&call.body).map_err(|error| Failure::invalid(error.to_string()))?;
        if request.stream {
            return Err(Failure::invalid("streaming is not supported here"));
        }
        let model = self.model(&request.model)?;
        let most = request.max_tokens.unwrap_or(model.output_limit).min(model.output_limit);
        let (prompt, form) = request.read()?;
        self.requests.pass(model.id).map_err(|wait| Failure::TooMany { wait })?;
        let tokens = prompt.tokens();
        if tokens > model.input_limit as usize {
            let message = format!("the messages have {tokens} tokens; this model takes {} at most", model.input_limit);
            return Err(Failure::Invalid { message, code: Some("context_length_exceeded") });
        }
        let completion = engine::complete(&prompt, &form, most as usize);
        Ok(response(model, &prompt, &completion))
    }
}

impl Request {
    fn read(self) -> Result<(Prompt, Form), Failure> {
        let form = match self.response_format {
            None | Some(ResponseFormat::Text) => Form::Text,
            Some(ResponseFormat::JsonObject) => Form::Json { schema: None },
            Some(ResponseFormat::JsonSchema { json_schema }) => Form::Json { schema: Some(json_schema.schema) },
        };
        let mut messages = self.messages;
        let last = messages.pop().filter(|last| last.role == Role::User);
        let user = last.ok_or_else(|| Failure::invalid("the last message must be the user's"))?.content.text();
        let context = messages.into_iter().map(|message| message.content.text()).collect();
        Ok((Prompt { context, user }, form))
    }
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().map(|part| part.text).collect(),
        }
    }
}

impl Answer for Openai {
    fn answer(&self, call: &Incoming) -> Reply {
        match self.route(call) {
            Ok(body) => Reply::json(StatusCode::OK, &body),
            Err(failure) => failure.into_reply(),
        }
    }
}

impl Failure {
    fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), code: None }
    }

    fn into_reply(self) -> Reply {
        let (status, message, code) = match &self {
            Self::BadKey => {
                (StatusCode::UNAUTHORIZED, "Incorrect API key provided".to_owned(), Some("invalid_api_key"))
            }
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "There is no such endpoint".to_owned(), Some("unknown_url")),
            Self::NoSuchModel { id } => {
                (StatusCode::NOT_FOUND, format!("The model `{id}` does not exist"), Some("model_not_found"))
            }
            Self::Invalid { message, code } => (StatusCode::BAD_REQUEST, message.clone(), *code),
            Self::TooMany { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "Too many requests per minute".to_owned(), Some("rate_limit_exceeded"))
            }
        };
        let kind = if matches!(self, Self::TooMany { .. }) { "requests" } else { "invalid_request_error" };
        let body = json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
        let reply = Reply::json(status, &body);
        match self {
            Self::TooMany { wait } => reply.header("retry-after", whole_seconds(wait).to_string()),
            _ => reply,
        }
    }
}

fn shown(model: &Model) -> Value {
    json!({
        "id": model.id, "object": "model", "created": 1_767_225_600, "owned_by": "simulator",
        "context_length": model.input_limit,
    })
}

fn response(model: &Model, prompt: &Prompt, completion: &Completion) -> Value {
    let (given, made) = (prompt.tokens(), completion.tokens());
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, completion.text.as_bytes()).simple().to_string();
    json!({
        "id": format!("chatcmpl-{id}"), "object": "chat.completion", "created": clock::now().timestamp(),
        "model": model.id,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": completion.text},
            "finish_reason": if completion.is_truncated { "length" } else { "stop" },
        }],
        "usage": {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made},
    })
}
