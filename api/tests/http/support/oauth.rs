//! Accounts into which people let Synkro: none are used here.

use std::sync::Arc;

use application::PortError;
use application::ports::oauth::{
    AuthorizationStates, Begun, Exchange, ExchangeFor, IssuedState, KeptTokens, NoTokens, OauthApp, OauthProvider,
    TokenExchanges, TokenPair,
};
use application::use_cases::{AuthorizeIntegration, CheckIntegration, KeepTokens, OpenAccount};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use domain::values::{BaseUrl, Slug};
use secrecy::SecretString;

use super::access::Untouched;
use super::memory::Memory;

pub(super) fn tokens(memory: &Arc<Memory>) -> Arc<KeepTokens> {
    Arc::new(KeepTokens {
        integrations: memory.clone(),
        tenants: memory.clone(),
        vault: memory.clone(),
        exchanges: Arc::new(Untouched),
        provider: Arc::new(Untouched),
        public_url: "https://synkro.example".parse().unwrap(),
        clock: memory.clone(),
        ids: memory.clone(),
    })
}

pub(super) fn authorize(memory: &Arc<Memory>) -> AuthorizeIntegration {
    let tokens = tokens(memory);
    let check = Arc::new(CheckIntegration {
        integrations: memory.clone(),
        accounts: Arc::new(OpenAccount { tokens: Arc::clone(&tokens), vault: memory.clone() }),
        connectors: memory.clone(),
        clock: memory.clone(),
    });
    AuthorizeIntegration {
        tokens,
        check,
        states: Arc::new(Untouched),
        sessions: Arc::new(Untouched),
        users: Arc::new(Untouched),
        tenants: memory.clone(),
        matrix: Arc::new(Untouched),
    }
}

#[async_trait]
impl OauthProvider for Untouched {
    fn authorize_address(&self, _account: &BaseUrl, _client_id: &str, _state: &SecretString) -> SecretString {
        unreachable!()
    }

    fn account_address(&self, _saved: &BaseUrl, _host: &str) -> Option<BaseUrl> {
        unreachable!()
    }

    async fn exchange(&self, _: &OauthApp, _: &BaseUrl, _: &SecretString) -> Result<TokenPair, NoTokens> {
        unreachable!()
    }

    async fn renew(&self, _: &OauthApp, _: &BaseUrl, _: &SecretString) -> Result<TokenPair, NoTokens> {
        unreachable!()
    }
}

#[async_trait]
impl AuthorizationStates for Untouched {
    async fn issue(
        &self,
        _begun: &Begun,
        _kind: IntegrationKind,
        _now: DateTime<Utc>,
        _expires_at: DateTime<Utc>,
    ) -> Result<IssuedState, PortError> {
        unreachable!()
    }

    async fn find(
        &self,
        _kind: IntegrationKind,
        _state: &SecretString,
        _browser: &SecretString,
        _now: DateTime<Utc>,
    ) -> Result<Option<Begun>, PortError> {
        unreachable!()
    }

    async fn use_up(&self, _state: &SecretString, _now: DateTime<Utc>) -> Result<bool, PortError> {
        unreachable!()
    }

    async fn company(&self, _slug: &Slug) -> Result<Option<TenantId>, PortError> {
        unreachable!()
    }
}

#[async_trait]
impl TokenExchanges for Untouched {
    async fn begin(
        &self,
        _tenant: TenantId,
        _kind: IntegrationKind,
        _what: ExchangeFor,
    ) -> Result<Option<Exchange>, PortError> {
        unreachable!()
    }

    async fn keep(
        &self,
        _exchange: &Exchange,
        _pair: &TokenPair,
        _now: DateTime<Utc>,
    ) -> Result<Option<KeptTokens>, PortError> {
        unreachable!()
    }

    async fn left_behind(&self, _tenant: TenantId, _kind: IntegrationKind) -> Result<Option<Exchange>, PortError> {
        unreachable!()
    }

    async fn release(&self, _exchange: &Exchange) -> Result<(), PortError> {
        unreachable!()
    }

    async fn end(&self, _exchange: &Exchange) -> Result<(), PortError> {
        unreachable!()
    }
}
