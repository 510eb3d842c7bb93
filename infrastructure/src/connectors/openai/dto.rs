//! The answers of OpenAI-compatible providers, as far as they are read.

use application::ports::providers::ModelInfo;
use application::ports::services::{Completion, Tokens};
use serde::Deserialize;

use super::DIALECT;
use crate::connectors::http::Verdict;
use crate::connectors::model_verdict::{cut_short, declined, empty};

#[derive(Debug, Default, Deserialize)]
pub(super) struct ModelList {
    #[serde(default)]
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    id: String,
}

impl ModelList {
    /// Google's surface lists its models with a prefix and takes them without.
    pub(super) fn has(&self, model: &str) -> bool {
        let bare = |id: &str| id.trim_start_matches("models/").to_owned();
        self.data.iter().any(|listed| bare(&listed.id) == bare(model))
    }

    pub(super) fn infos(self) -> Vec<ModelInfo> {
        self.data.into_iter().map(|model| ModelInfo { name: model.id, input_token_limit: None }).collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Completed {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
    #[serde(default)]
    model: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Message,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

impl Completed {
    /// The answer, where the model finished it. Some servers leave the reason out.
    pub(super) fn into_completion(mut self, asked: &str) -> Result<Completion, Verdict> {
        let Usage { prompt_tokens, completion_tokens } = self.usage.take().unwrap_or_default();
        let tokens = Tokens { input: prompt_tokens, output: completion_tokens };
        self.answer(asked, tokens).map_err(|verdict| verdict.having_used(tokens))
    }

    fn answer(self, asked: &str, tokens: Tokens) -> Result<Completion, Verdict> {
        let choice = self.choices.into_iter().next().ok_or_else(|| empty(&DIALECT))?;
        match choice.finish_reason.as_deref() {
            Some("stop") | None => {}
            Some("length") => return Err(cut_short(&DIALECT)),
            Some(other) => return Err(declined(&DIALECT, other)),
        }
        if choice.message.refusal.is_some_and(|words| !words.is_empty()) {
            return Err(declined(&DIALECT, "refusal"));
        }
        let text = choice.message.content.filter(|text| !text.trim().is_empty()).ok_or_else(|| empty(&DIALECT))?;
        Ok(Completion {
            text,
            model: self.model.unwrap_or_else(|| asked.to_owned()),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<Completion, Verdict> {
        serde_json::from_value::<Completed>(body).unwrap().into_completion("asked")
    }

    fn choice(message: &Value, finish: &str) -> Value {
        json!({"choices": [{"index": 0, "message": message, "finish_reason": finish}], "model": "m",
               "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}})
    }

    #[test]
    fn a_finished_answer_is_read_with_its_usage() {
        let completion = read(choice(&json!({"role": "assistant", "content": "{}"}), "stop")).unwrap();
        assert_eq!((completion.text.as_str(), completion.input_tokens, completion.output_tokens), ("{}", 9, 12));
        let bare = read(json!({"choices": [{"message": {"content": "x"}}], "usage": null})).unwrap();
        assert_eq!((bare.model.as_str(), bare.output_tokens), ("asked", 0));
    }

    #[test]
    fn every_other_end_is_a_failure_that_says_so() {
        let error = |body| read(body).unwrap_err().message;
        assert!(error(choice(&json!({"content": "{\"a\":"}), "length")).contains("output limit"));
        let used = read(choice(&json!({"content": "{"}), "length")).unwrap_err().tokens;
        assert_eq!(used, Some(Tokens { input: 9, output: 12 }), "it was paid for");
        assert!(error(choice(&json!({"content": null}), "content_filter")).contains("content_filter"));
        assert!(error(choice(&json!({"content": null, "refusal": "I cannot"}), "stop")).contains("declined"));
        assert!(error(choice(&json!({"content": " "}), "stop")).contains("empty"));
        assert!(error(json!({"choices": []})).contains("empty"));
    }

    #[test]
    fn a_listed_model_is_known_with_and_without_its_prefix() {
        let list: ModelList = serde_json::from_value(json!({"data": [{"id": "models/g-1"}, {"id": "x"}]})).unwrap();
        assert!(list.has("g-1") && list.has("models/g-1") && list.has("x") && !list.has("y"));
    }
}
