//! The answers of Gemini, as far as they are read.

use application::ports::providers::ModelInfo;
use application::ports::services::{Completion, Tokens};
use serde::Deserialize;

use super::DIALECT;
use crate::connectors::http::Verdict;
use crate::connectors::model_verdict::{cut_short, declined, empty};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelPage {
    #[serde(default)]
    models: Vec<Model>,
    #[serde(default)]
    next_page_token: Option<String>,
}

impl ModelPage {
    /// Where the next page begins; the last page has none (sheet §2).
    pub(super) fn next_page_token(&self) -> Option<String> {
        self.next_page_token.clone().filter(|token| !token.is_empty())
    }

    /// The models that answer questions.
    pub(super) fn infos(self) -> Vec<ModelInfo> {
        let generating = self.models.into_iter().filter(Model::generates);
        let bare = |name: &str| name.trim_start_matches("models/").to_owned();
        generating
            .map(|model| ModelInfo { name: bare(&model.name), input_token_limit: model.input_token_limit })
            .collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Model {
    name: String,
    #[serde(default)]
    pub(super) input_token_limit: Option<u32>,
    #[serde(default)]
    supported_generation_methods: Option<Vec<String>>,
}

impl Model {
    /// A model that does not say what it can do is given the benefit of the doubt.
    pub(super) fn generates(&self) -> bool {
        let methods = self.supported_generation_methods.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Generated {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<PromptFeedback>,
    #[serde(default)]
    usage_metadata: Usage,
    #[serde(default)]
    model_version: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Content,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
    #[serde(default)]
    thought: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    #[serde(default)]
    block_reason: Option<String>,
}

/// Counters; an absent one is zero.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Usage {
    #[serde(rename = "promptTokenCount")]
    prompt: u64,
    #[serde(rename = "candidatesTokenCount")]
    candidates: u64,
    #[serde(rename = "thoughtsTokenCount")]
    thoughts: u64,
}

impl Generated {
    /// The answer, where the model finished it of its own accord (sheet §3).
    pub(super) fn into_completion(self, asked: &str) -> Result<Completion, Verdict> {
        let Usage { prompt, candidates, thoughts } = self.usage_metadata;
        let tokens = Tokens { input: prompt, output: candidates.saturating_add(thoughts) };
        self.answer(asked, tokens).map_err(|verdict| verdict.having_used(tokens))
    }

    fn answer(self, asked: &str, tokens: Tokens) -> Result<Completion, Verdict> {
        let Some(candidate) = self.candidates.into_iter().next() else {
            let reason = self.prompt_feedback.and_then(|feedback| feedback.block_reason);
            return Err(declined(&DIALECT, &reason.unwrap_or_else(|| "no reason given".to_owned())));
        };
        match candidate.finish_reason.as_deref() {
            Some("STOP") => {}
            Some("MAX_TOKENS") => return Err(cut_short(&DIALECT)),
            Some(other) => return Err(declined(&DIALECT, other)),
            None => return Err(declined(&DIALECT, "it did not say that it had finished")),
        }
        let spoken = candidate.content.parts.into_iter().filter(|part| !part.thought);
        let text: String = spoken.map(|part| part.text).collect();
        if text.trim().is_empty() {
            return Err(empty(&DIALECT));
        }
        Ok(Completion {
            text,
            model: self.model_version.unwrap_or_else(|| asked.to_owned()),
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
        serde_json::from_value::<Generated>(body).unwrap().into_completion("asked")
    }

    #[test]
    fn the_answer_is_what_was_said_and_not_what_was_thought() {
        let completion = read(json!({
            "candidates": [{"content": {"role": "model", "parts": [
                {"text": "hmm", "thought": true}, {"text": "{\"a\":"}, {"text": "1}"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 42, "candidatesTokenCount": 12, "thoughtsTokenCount": 3},
            "modelVersion": "gemini-x"
        }))
        .unwrap();
        assert_eq!((completion.text.as_str(), completion.model.as_str()), ("{\"a\":1}", "gemini-x"));
        assert_eq!((completion.input_tokens, completion.output_tokens), (42, 15));
    }

    #[test]
    fn counters_and_model_may_be_absent() {
        let completion = read(json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}));
        let completion = completion.unwrap();
        assert_eq!((completion.model.as_str(), completion.input_tokens), ("asked", 0));
    }

    #[test]
    fn an_unfinished_or_refused_answer_is_a_failure_that_says_so() {
        let cut = read(json!({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]}));
        assert!(cut.unwrap_err().message.contains("output limit"));
        let used = read(json!({"candidates": [{"finishReason": "MAX_TOKENS"}],
            "usageMetadata": {"promptTokenCount": 42, "candidatesTokenCount": 12}}));
        assert_eq!(used.unwrap_err().tokens, Some(Tokens { input: 42, output: 12 }), "it was paid for");
        let unsafe_answer = read(json!({"candidates": [{"finishReason": "SAFETY"}]}));
        assert!(unsafe_answer.unwrap_err().message.contains("SAFETY"));
        let blocked = read(json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}));
        assert!(blocked.unwrap_err().message.contains("PROHIBITED_CONTENT"));
        let silent = read(json!({"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]}));
        assert!(silent.unwrap_err().message.contains("empty"));
    }

    #[test]
    fn only_models_that_answer_are_offered() {
        let page: ModelPage = serde_json::from_value(json!({"models": [
            {"name": "models/a", "supportedGenerationMethods": ["generateContent", "countTokens"]},
            {"name": "models/b", "supportedGenerationMethods": ["embedContent"]},
            {"name": "models/c"}]}))
        .unwrap();
        let names: Vec<String> = page.infos().into_iter().map(|model| model.name).collect();
        assert_eq!(names, ["a", "c"]);
    }
}
