//! Ollama, its own API: models on a company's own server, or Ollama's cloud.

mod dto;
mod provider;

use std::sync::Arc;

use application::ports::providers::ModelInfo;
use application::ports::services::{Account, Analyst, Completion, Delivery, Prompt, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::values::BaseUrl;
use reqwest::StatusCode;
use serde_json::json;
use tokio::sync::OnceCell;

use super::http::{AccountClient, Call, Dialect, HttpClient, Refusal, Verdict, nonsense};
use super::model_verdict::missing;
use dto::{Answered, Details, Models};
pub(super) use provider::PROVIDER;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Ai,
    title: "Ollama",
    name: "Ollama",
    credential: "the API key",
    renew: "Create a new key at ollama.com, or at the proxy before your own server, and save it in Settings → AI",
    refine,
};

/// Tokens that a model is taken to read where nobody says.
const DEFAULT_INPUT_TOKENS: u32 = 8_192;

/// A tenant's Ollama with one chosen model.
pub(super) struct Ollama {
    client: AccountClient,
    model: String,
    limit: Option<u32>,
    /// What the server says of the model's context, once it was asked: every question names it.
    context: OnceCell<Option<u32>>,
}

impl Ollama {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        model: &str,
        limit: Option<u32>,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::ApiKey)?
            .with_key_header("authorization", "Bearer ")?;
        Ok(Self { client, model: model.trim().to_owned(), limit, context: OnceCell::new() })
    }

    /// What the server says of the chosen model.
    async fn details(&self) -> Result<Details, UpstreamError> {
        let call = Call::post(["show"], &json!({"model": self.model})).accept(StatusCode::NOT_FOUND);
        let reply = self.client.send(&call).await?;
        if reply.status == StatusCode::NOT_FOUND {
            let offered = self.models().await?;
            return Err(DIALECT.error(missing(&DIALECT, &self.model, &offered), Delivery::NotDelivered));
        }
        self.client.parse(&reply)?.ok_or_else(|| nonsense(&DIALECT, "an empty description of the model"))
    }
}

#[async_trait]
impl Analyst for Ollama {
    async fn input_token_limit(&self) -> Result<u32, UpstreamError> {
        let offered = async || Ok(self.details().await?.context_length());
        let offered = *self.context.get_or_try_init(offered).await?;
        Ok(self.limit.into_iter().chain(offered).min().unwrap_or(DEFAULT_INPUT_TOKENS))
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError> {
        let limit = self.input_token_limit().await?;
        let body = json!({
            "model": self.model,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
            "format": prompt.schema,
            "stream": false,
            // Without it the server cuts what does not fit into its own small window, and does not say so.
            "options": {"num_ctx": limit},
        });
        let call = Call::post(["chat"], &body).within(self.client.model_timeout()).has_effect();
        let answered: Option<Answered> = self.client.json(&call).await?;
        let answered = answered.ok_or_else(|| nonsense(&DIALECT, "nothing"))?;
        answered.into_completion(&self.model).map_err(|verdict| DIALECT.error(verdict, Delivery::Unknown))
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, UpstreamError> {
        let models: Option<Models> = self.client.json(&Call::get(["tags"])).await?;
        Ok(models.unwrap_or_default().infos())
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        self.details().await.map(drop)
    }
}

fn refine(refusal: &Refusal) -> Option<Verdict> {
    (refusal.status == StatusCode::NOT_FOUND).then(|| {
        Verdict::permanent(
            format!("Ollama does not have the model: {}", refusal.words),
            "Pull the model on the server, or choose another one in Settings → AI",
        )
    })
}
