//! The answers of Ollama, as far as they are read.

use application::ports::providers::ModelInfo;
use application::ports::services::{Completion, Tokens};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::DIALECT;
use crate::connectors::http::Verdict;
use crate::connectors::model_verdict::{cut_short, empty};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Models {
    #[serde(default)]
    models: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    name: String,
}

impl Models {
    pub(super) fn infos(self) -> Vec<ModelInfo> {
        self.models.into_iter().map(|model| ModelInfo { name: model.name, input_token_limit: None }).collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Details {
    #[serde(default)]
    model_info: Map<String, Value>,
}

impl Details {
    /// How much the model reads; the field's name begins with the model's architecture.
    pub(super) fn context_length(&self) -> Option<u32> {
        let (_, length) = self.model_info.iter().find(|(name, _)| name.ends_with(".context_length"))?;
        length.as_u64()?.try_into().ok()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    message: Message,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: u64,
    #[serde(default)]
    eval_count: u64,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    content: String,
}

impl Answered {
    pub(super) fn into_completion(self, asked: &str) -> Result<Completion, Verdict> {
        let tokens = Tokens { input: self.prompt_eval_count, output: self.eval_count };
        self.answer(asked, tokens).map_err(|verdict| verdict.having_used(tokens))
    }

    fn answer(self, asked: &str, tokens: Tokens) -> Result<Completion, Verdict> {
        if self.done_reason.as_deref() == Some("length") {
            return Err(cut_short(&DIALECT));
        }
        if self.message.content.trim().is_empty() {
            return Err(empty(&DIALECT));
        }
        Ok(Completion {
            text: self.message.content,
            model: self.model.unwrap_or_else(|| asked.to_owned()),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
        })
    }
}
