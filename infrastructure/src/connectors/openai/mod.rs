//! Any provider with OpenAI's `chat/completions`. Written against the Gemini sheet §6.

mod dto;
mod provider;

use std::sync::Arc;

use application::ports::providers::ModelInfo;
use application::ports::services::{Account, Analyst, Completion, Delivery, Prompt, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::job_run::FailureClass;
use domain::values::BaseUrl;
use serde_json::json;

use super::gemini::status;
use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use super::model_verdict::missing;
use dto::{Completed, ModelList};
pub(super) use provider::PROVIDER;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Ai,
    title: "The AI provider",
    name: "the AI provider",
    credential: "the API key",
    renew: "Create a new API key at the AI provider and save it in Settings → AI",
    refine,
};

/// Tokens that a model is taken to read where neither the tenant nor the provider says; these APIs have no field for it.
/// Most models in use read more, so a prompt made for it fits.
const DEFAULT_INPUT_TOKENS: u32 = 32_000;

/// A tenant's account at an OpenAI-compatible provider with one chosen model.
pub(super) struct Openai {
    client: AccountClient,
    model: String,
    limit: Option<u32>,
}

impl Openai {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        model: &str,
        limit: Option<u32>,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::ApiKey)?
            .with_key_header("authorization", "Bearer ")?;
        Ok(Self { client, model: model.trim().to_owned(), limit })
    }
}

#[async_trait]
impl Analyst for Openai {
    async fn input_token_limit(&self) -> Result<u32, UpstreamError> {
        Ok(self.limit.unwrap_or(DEFAULT_INPUT_TOKENS))
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError> {
        let body = json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": prompt.schema}},
            "stream": false,
        });
        let call = Call::post(["chat", "completions"], &body).within(self.client.model_timeout()).has_effect();
        let completed: Option<Completed> = self.client.json(&call).await?;
        let completed = completed.ok_or_else(|| nonsense(&DIALECT, "nothing"))?;
        completed.into_completion(&self.model).map_err(|verdict| DIALECT.error(verdict, Delivery::Unknown))
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, UpstreamError> {
        let models: Option<ModelList> = self.client.json(&Call::get(["models"])).await?;
        Ok(models.unwrap_or_default().infos())
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        let models: ModelList = self.client.json(&Call::get(["models"])).await?.unwrap_or_default();
        if models.has(&self.model) {
            return Ok(());
        }
        Err(DIALECT.error(missing(&DIALECT, &self.model, &models.infos()), Delivery::NotDelivered))
    }
}

/// Google's compatible surface answers in Google's own envelope (sheet §6.2).
fn refine(refusal: &Refusal) -> Option<Verdict> {
    match refusal.body["error"]["code"].as_str() {
        Some("insufficient_quota") => Some(Verdict::new(
            FailureClass::Quota,
            "The credit or quota of the AI account is used up",
            "Top up the account at the AI provider, then start the run again",
        )),
        Some("model_not_found") => Some(Verdict::permanent(
            format!("The AI provider does not know the model: {}", refusal.words),
            "Choose another model in Settings → AI",
        )),
        Some("context_length_exceeded") => Some(Verdict::permanent(
            format!("The prompt is too long for the model: {}", refusal.words),
            "Enter the model's input limit in Settings → AI, or choose a model that reads more",
        )),
        _ => status::refine(refusal),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn class(status: u16, body: serde_json::Value) -> Option<FailureClass> {
        let status = StatusCode::from_u16(status).unwrap();
        refine(&Refusal { status, retry_after: None, body, words: "words".into() }).map(|verdict| verdict.class)
    }

    #[test]
    fn used_up_credit_is_not_a_passing_rate_limit() {
        let error = |code: &str| json!({"error": {"message": "m", "type": "t", "param": null, "code": code}});
        assert_eq!(class(429, error("insufficient_quota")), Some(FailureClass::Quota));
        assert_eq!(class(429, error("rate_limit_exceeded")), None);
        assert_eq!(class(404, error("model_not_found")), Some(FailureClass::Permanent));
    }

    #[test]
    fn googles_envelope_is_understood_too() {
        let body = json!([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT",
                                     "details": [{"reason": "API_KEY_INVALID"}]}}]);
        assert_eq!(class(400, body), Some(FailureClass::Auth));
    }
}
