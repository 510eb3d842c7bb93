//! Adapters of the outside services, written against their contract sheets.
//!
//! [`HttpConnectors`] is the catalogue. To add a provider: a folder with its `http::Dialect`, its adapter and its
//! data shapes, and one line below in the method of the port that it serves.

mod amocrm;
mod gemini;
mod http;
mod model_verdict;
mod openai;
mod phones;
mod radist;
pub mod supabase;
mod telegram;

use std::sync::Arc;

use application::ports::clock::Clock;
use application::ports::services::{
    Account, Analyst, Connectors, Conversations, Crm, Delivery, Notifier, TenantStorage, UpstreamError,
};
use domain::integration::{AiProvider, IntegrationSettings as Settings};
use domain::job_run::FailureClass;

pub use http::{EgressPolicy, HttpClientError, HttpOptions, RetryOptions};

use amocrm::Amocrm;
use gemini::Gemini;
use http::HttpClient;
use openai::Openai;
use radist::Radist;
use supabase::Supabase;
use telegram::Telegram;

/// All providers that Synkro knows, over one shared HTTP client. Make it once per process.
pub struct HttpConnectors {
    http: Arc<HttpClient>,
    clock: Arc<dyn Clock>,
}

impl HttpConnectors {
    /// Prepares the HTTP client. Nothing is called yet.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(options: HttpOptions, clock: Arc<dyn Clock>) -> Result<Self, HttpClientError> {
        Ok(Self { http: HttpClient::new(options)?, clock })
    }
}

impl Connectors for HttpConnectors {
    fn crm(&self, account: Account) -> Result<Box<dyn Crm>, UpstreamError> {
        match &account.settings {
            Settings::Amocrm { base_url } => Ok(Box::new(Amocrm::open(&self.http, &account, base_url)?)),
            other => Err(wrong_place(other, "a CRM")),
        }
    }

    fn conversations(&self, account: Account) -> Result<Box<dyn Conversations>, UpstreamError> {
        match &account.settings {
            Settings::Radist { base_url, company_id, requests_per_second } => {
                Ok(Box::new(Radist::open(&self.http, &account, base_url, *company_id, *requests_per_second)?))
            }
            other => Err(wrong_place(other, "a source of conversations")),
        }
    }

    fn storage(&self, account: Account) -> Result<Box<dyn TenantStorage>, UpstreamError> {
        match &account.settings {
            Settings::Supabase { base_url } => {
                Ok(Box::new(Supabase::open(&self.http, &account, base_url, self.clock.now())?))
            }
            other => Err(wrong_place(other, "a storage")),
        }
    }

    fn analyst(&self, account: Account) -> Result<Box<dyn Analyst>, UpstreamError> {
        match &account.settings {
            Settings::Ai { provider, base_url, model, input_token_limit, .. } => match provider {
                AiProvider::Gemini => {
                    Ok(Box::new(Gemini::open(&self.http, &account, base_url, model, *input_token_limit)?))
                }
                AiProvider::OpenaiCompatible => {
                    Ok(Box::new(Openai::open(&self.http, &account, base_url, model, *input_token_limit)?))
                }
            },
            other => Err(wrong_place(other, "an AI provider")),
        }
    }

    fn notifier(&self, account: Account) -> Result<Box<dyn Notifier>, UpstreamError> {
        match &account.settings {
            Settings::Telegram { base_url, chat_id } => {
                Ok(Box::new(Telegram::open(&self.http, &account, base_url, chat_id)?))
            }
            other => Err(wrong_place(other, "a notifier")),
        }
    }
}

fn wrong_place(settings: &Settings, role: &str) -> UpstreamError {
    let service = settings.kind();
    UpstreamError {
        service,
        class: FailureClass::Permanent,
        message: format!("{} cannot be used as {role}", service.title()),
        advice: "Connect a service of the right kind in Settings".to_owned(),
        retry_after: None,
        delivery: Delivery::NotDelivered,
    }
}
