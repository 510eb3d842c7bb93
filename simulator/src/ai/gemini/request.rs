//! The body of `generateContent` (Gemini sheet §3). Like the service, it takes no field that it does not know.

use serde::Deserialize;
use serde_json::Value;

use super::status::Status;
use crate::ai::engine::{Form, Prompt};

const JSON: &str = "application/json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    contents: Vec<Content>,
    #[serde(default, alias = "system_instruction")]
    system_instruction: Option<Content>,
    #[serde(default, alias = "generation_config")]
    generation_config: GenerationConfig,
    #[serde(default, rename = "safetySettings")]
    _safety_settings: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Content {
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    text: String,
}

/// Sampling settings are taken and have no effect: the same prompt always has the same answer.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GenerationConfig {
    #[serde(default)]
    max_output_tokens: Option<u32>,
    #[serde(default)]
    response_mime_type: Option<String>,
    #[serde(default)]
    response_schema: Option<Value>,
    #[serde(default)]
    response_json_schema: Option<Value>,
    #[serde(default, rename = "temperature")]
    _temperature: Option<f64>,
    #[serde(default, rename = "topP")]
    _top_p: Option<f64>,
    #[serde(default, rename = "topK")]
    _top_k: Option<f64>,
    #[serde(default, rename = "candidateCount")]
    _candidate_count: Option<u32>,
    #[serde(default, rename = "stopSequences")]
    _stop_sequences: Option<Vec<String>>,
    #[serde(default, rename = "seed")]
    _seed: Option<i64>,
    #[serde(default, rename = "thinkingConfig")]
    _thinking_config: Option<Value>,
}

impl Request {
    /// What the model is asked, and in which form it is to answer.
    pub(super) fn read(&self) -> Result<(Prompt, Form), Status> {
        let is_user = |content: &Content| content.role.as_deref().is_none_or(|role| role == "user");
        let [earlier @ .., last] = self.contents.as_slice() else {
            return Err(Status::invalid("contents is not specified"));
        };
        if let Some(unknown) =
            self.contents.iter().find(|content| !is_user(content) && content.role.as_deref() != Some("model"))
        {
            let role = unknown.role.as_deref().unwrap_or_default();
            return Err(Status::invalid(format!("a role is user or model, not {role}")));
        }
        if !is_user(last) || last.parts.is_empty() {
            return Err(Status::invalid("the last of contents must be a text of the user"));
        }
        let context = self.system_instruction.iter().chain(earlier).map(Content::text).collect();
        Ok((Prompt { context, user: last.text() }, self.form()?))
    }

    fn form(&self) -> Result<Form, Status> {
        let config = &self.generation_config;
        let schema = match (&config.response_schema, &config.response_json_schema) {
            (Some(_), Some(_)) => {
                return Err(Status::invalid("responseSchema and responseJsonSchema exclude each other"));
            }
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        match (config.response_mime_type.as_deref(), schema) {
            (Some(JSON), schema) => Ok(Form::Json { schema }),
            (_, Some(_)) => Err(Status::invalid("a response schema needs responseMimeType application/json")),
            (None | Some("text/plain"), None) => Ok(Form::Text),
            (Some(other), None) => Err(Status::invalid(format!("responseMimeType {other} is not supported"))),
        }
    }

    pub(super) fn max_tokens(&self, model_limit: u32) -> usize {
        self.generation_config.max_output_tokens.unwrap_or(model_limit).min(model_limit) as usize
    }
}

impl Content {
    fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}
