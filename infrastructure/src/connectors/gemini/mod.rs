//! Google Gemini, `generateContent`. Written against the Gemini sheet.

mod dto;
mod provider;
pub(super) mod status;

use std::collections::HashSet;
use std::sync::Arc;

use application::ports::providers::ModelInfo;
use application::ports::services::{Account, Analyst, Completion, Delivery, Prompt, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationKind, SecretName};
use domain::values::BaseUrl;
use reqwest::StatusCode;
use serde_json::json;

use super::http::{AccountClient, Call, Dialect, HttpClient, nonsense};
use super::model_verdict::missing;
use dto::{Generated, Model, ModelPage};
pub(super) use provider::PROVIDER;

static DIALECT: Dialect = Dialect {
    service: IntegrationKind::Ai,
    title: "Gemini",
    name: "Gemini",
    credential: "the API key",
    renew: "Create a new API key in Google AI Studio and save it in Settings → AI",
    refine: status::refine,
};

/// Models of a page; the API gives no more (sheet §2).
const PAGE: &str = "1000";

/// Pages of the list of models that are read at most. Google has some dozens of models; what goes on longer has no end.
const MOST_PAGES: usize = 20;

/// A tenant's Gemini account with one chosen model.
pub(super) struct Gemini {
    client: AccountClient,
    model: String,
    limit: Option<u32>,
}

impl Gemini {
    pub(super) fn open(
        http: &Arc<HttpClient>,
        account: &Account,
        base_url: &BaseUrl,
        model: &str,
        limit: Option<u32>,
    ) -> Result<Self, UpstreamError> {
        let client = AccountClient::open(http, &DIALECT, account, base_url, SecretName::ApiKey)?
            .with_key_header("x-goog-api-key", "")?;
        let model = model.trim();
        Ok(Self { client, model: model.strip_prefix("models/").unwrap_or(model).to_owned(), limit })
    }

    async fn model(&self) -> Result<Model, UpstreamError> {
        let call = Call::get(["models", &self.model]).accept(StatusCode::NOT_FOUND);
        let reply = self.client.send(&call).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Err(self.no_such_model().await);
        }
        let model: Option<Model> = self.client.parse(&reply)?;
        match model {
            Some(model) if model.generates() => Ok(model),
            Some(_) => Err(self.no_such_model().await),
            None => Err(nonsense(&DIALECT, "an empty description of the model")),
        }
    }

    /// Models get closed to new users (sheet, head note), so the refusal names some that are open.
    async fn no_such_model(&self) -> UpstreamError {
        match self.offered().await {
            Ok(offered) => DIALECT.error(missing(&DIALECT, &self.model, &offered), Delivery::NotDelivered),
            Err(error) => error,
        }
    }

    /// All pages of the list of models, those that answer questions.
    async fn offered(&self) -> Result<Vec<ModelInfo>, UpstreamError> {
        let first = Call::get(["models"]).query("pageSize", PAGE);
        let (mut offered, mut tokens, mut call) = (Vec::new(), HashSet::new(), first.clone());
        for _ in 0..MOST_PAGES {
            let page = self.client.json::<ModelPage>(&call).await?.unwrap_or_default();
            let token = page.next_page_token();
            offered.extend(page.infos());
            let Some(token) = token else { return Ok(offered) };
            call = first.clone().query("pageToken", token.clone());
            if !tokens.insert(token) {
                return Err(nonsense(&DIALECT, "the same page of models again and again"));
            }
        }
        Err(nonsense(&DIALECT, "a list of models that does not end"))
    }
}

#[async_trait]
impl Analyst for Gemini {
    async fn input_token_limit(&self) -> Result<u32, UpstreamError> {
        let offered = self.model().await?.input_token_limit;
        let limit = match (self.limit, offered) {
            (Some(chosen), Some(offered)) => Some(chosen.min(offered)),
            (chosen, offered) => chosen.or(offered),
        };
        limit.ok_or_else(|| nonsense(&DIALECT, "a model without an input limit"))
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError> {
        let body = json!({
            "systemInstruction": {"parts": [{"text": prompt.system}]},
            "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
            "generationConfig": {
                "candidateCount": 1,
                "responseMimeType": "application/json",
                "responseJsonSchema": prompt.schema,
            },
        });
        let call = Call::post(["models", &format!("{}:generateContent", self.model)], &body)
            .within(self.client.model_timeout())
            .has_effect();
        let generated: Option<Generated> = self.client.json(&call).await?;
        let generated = generated.ok_or_else(|| nonsense(&DIALECT, "nothing"))?;
        generated.into_completion(&self.model).map_err(|verdict| DIALECT.error(verdict, Delivery::Unknown))
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, UpstreamError> {
        self.offered().await
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        self.model().await.map(drop)
    }
}
