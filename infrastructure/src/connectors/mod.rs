//! Adapters of the outside services, written against their contract sheets.
//!
//! To add a provider: a folder with its `http::Dialect`, its adapter, its data shapes and its `provider.rs`, and its line in
//! `REGISTRY`. `docs/adding-a-connector.md` goes through it with a real one.

mod ai_fields;
mod amocrm;
mod gemini;
mod http;
mod model_verdict;
mod ollama;
mod openai;
mod phones;
mod radist;
mod registry;
pub mod supabase;
mod telegram;

use std::sync::Arc;

use application::ports::circuits::{CallStanding, CircuitState, Circuits};
use application::ports::clock::Clock;
use application::ports::providers::{Provider, StorageSchema};
use application::ports::services::{
    Account, Analyst, Connectors, Conversations, Crm, Notifier, TenantStorage, UpstreamError,
};
use domain::ids::TenantId;
use domain::integration::IntegrationKind;

pub use amocrm::AmocrmOauth;
pub use http::{
    AwaitedOptions, CircuitOptions, ConcurrencyOptions, EgressPolicy, HttpClientError, HttpOptions, RetryOptions,
};

use http::HttpClient;
use registry::{DESCRIPTIONS, Open, Registered, Tools, of, wrong_place};

/// Every provider; the first of a kind is the usual one.
static REGISTRY: &[&Registered] = &[
    &supabase::PROVIDER,
    &amocrm::PROVIDER,
    &radist::PROVIDER,
    &gemini::PROVIDER,
    &openai::PROVIDER,
    &ollama::PROVIDER,
    &telegram::PROVIDER,
];

/// All providers that Synkro knows, over one shared HTTP client. Make it once per process.
pub struct HttpConnectors(Tools);

impl HttpConnectors {
    /// Prepares the HTTP client. Nothing is called yet.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(options: HttpOptions, clock: Arc<dyn Clock>) -> Result<Self, HttpClientError> {
        Ok(Self(Tools { http: HttpClient::new(options)?, clock }))
    }

    /// How people let Synkro into amoCRM, over the same HTTP client.
    pub fn amocrm_oauth(&self) -> AmocrmOauth {
        AmocrmOauth::new(Arc::clone(&self.0.http))
    }
}

impl Circuits for HttpConnectors {
    fn circuit(&self, tenant_id: TenantId, service: IntegrationKind) -> CircuitState {
        self.0.http.circuit(tenant_id, service)
    }

    fn standing(&self) -> CallStanding {
        self.0.http.standing()
    }
}

impl Connectors for HttpConnectors {
    fn providers(&self) -> &'static [&'static Provider] {
        &DESCRIPTIONS
    }

    fn storage_schema(&self) -> StorageSchema {
        StorageSchema { version: supabase::SCHEMA_VERSION, sql: supabase::schema_sql() }
    }

    fn crm(&self, account: Account) -> Result<Box<dyn Crm>, UpstreamError> {
        match of(&account)?.open {
            Open::Crm(make) => make(&self.0, &account),
            _ => Err(wrong_place(&account, "a CRM")),
        }
    }

    fn conversations(&self, account: Account) -> Result<Box<dyn Conversations>, UpstreamError> {
        match of(&account)?.open {
            Open::Conversations(make) => make(&self.0, &account),
            _ => Err(wrong_place(&account, "a source of conversations")),
        }
    }

    fn storage(&self, account: Account) -> Result<Box<dyn TenantStorage>, UpstreamError> {
        match of(&account)?.open {
            Open::Storage(make) => make(&self.0, &account),
            _ => Err(wrong_place(&account, "a storage")),
        }
    }

    fn analyst(&self, account: Account) -> Result<Box<dyn Analyst>, UpstreamError> {
        match of(&account)?.open {
            Open::Analyst(make) => make(&self.0, &account),
            _ => Err(wrong_place(&account, "an AI provider")),
        }
    }

    fn notifier(&self, account: Account) -> Result<Box<dyn Notifier>, UpstreamError> {
        match of(&account)?.open {
            Open::Notifier(make) => make(&self.0, &account),
            _ => Err(wrong_place(&account, "a notifier")),
        }
    }
}
