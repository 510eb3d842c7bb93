//! Accounts into which a person lets Synkro at the service itself (OAuth 2.0, authorization code).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{SecretId, SessionId, TenantId, UserId};
use domain::integration::{IntegrationKind, TokenPairRef};
use domain::values::{BaseUrl, Slug};
use secrecy::SecretString;
use uuid::Uuid;

use super::services::{Account, UpstreamError};
use crate::error::PortError;

/// The integration that a company has made at the service for Synkro.
pub struct OauthApp {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id there.
    pub client_id: String,
    /// What it proves itself with.
    pub client_secret: SecretString,
    /// Where the service sends people back to, as it is entered there.
    pub redirect_uri: String,
}

/// Tokens as the service gave them.
pub struct TokenPair {
    /// What calls are made with.
    pub access_token: SecretString,
    /// What the next pair is had for, once.
    pub refresh_token: SecretString,
    /// How long the access token is taken.
    pub lives: Duration,
    /// Where the account is.
    pub base_url: BaseUrl,
}

/// Why there are no tokens.
#[derive(Debug)]
pub enum NoTokens {
    /// The service said no, and will say so again.
    Refused(UpstreamError),
    /// Nothing is decided: what was sent may be sent again.
    Failed(UpstreamError),
}

/// The service's side of it.
#[async_trait]
pub trait OauthProvider: Send + Sync {
    /// The page at the service where a person lets Synkro in.
    fn authorize_address(&self, account: &BaseUrl, client_id: &str, state: &SecretString) -> SecretString;

    /// The address of the account that the service names as the one that was let in; none where the host is none of its
    /// own. What it names came through a browser.
    fn account_address(&self, saved: &BaseUrl, host: &str) -> Option<BaseUrl>;

    /// Exchanges the code of a person who let Synkro in. A code works once, so nothing is sent again that may have arrived.
    async fn exchange(&self, app: &OauthApp, account: &BaseUrl, code: &SecretString) -> Result<TokenPair, NoTokens>;

    /// Exchanges a refresh token, at the account's new address where it has moved.
    async fn renew(&self, app: &OauthApp, account: &BaseUrl, refresh: &SecretString) -> Result<TokenPair, NoTokens>;
}

/// Someone who is about to let Synkro in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The company.
    pub tenant_id: TenantId,
    /// Who it is.
    pub user_id: UserId,
    /// The session that it began in.
    pub session_id: SessionId,
    /// The integration that it began for.
    pub client_id: String,
}

/// What leaves when an authorization begins.
pub struct IssuedState {
    /// What the service sends back: 256 random bits, good once.
    pub state: SecretString,
    /// What the session's browser sends back beside it. The same for one session each time.
    pub browser: SecretString,
}

/// Authorizations that were begun, kept as hashes of their states.
#[async_trait]
pub trait AuthorizationStates: Send + Sync {
    /// Records that somebody begins.
    async fn issue(
        &self,
        begun: &Begun,
        kind: IntegrationKind,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<IssuedState, PortError>;

    /// What was begun with this state, if it is good now and this is the browser of the session that it began in.
    async fn find(
        &self,
        kind: IntegrationKind,
        state: &SecretString,
        browser: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<Option<Begun>, PortError>;

    /// Uses the state up; false where another was quicker.
    async fn use_up(&self, state: &SecretString, now: DateTime<Utc>) -> Result<bool, PortError>;

    /// The company that people come back to at this short name; it says nothing of who comes.
    async fn company(&self, slug: &Slug) -> Result<Option<TenantId>, PortError>;
}

/// What tokens are exchanged for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeFor {
    /// The code of a person.
    Code {
        /// The integration.
        client_id: String,
        /// The person.
        authorized_by: UserId,
    },
    /// A refresh token.
    Refresh {
        /// Its stored version.
        replaces: SecretId,
    },
}

/// The right to exchange something, for a while and for nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its id.
    pub id: Uuid,
    /// Who holds the right.
    pub holder: Uuid,
    /// Whose tokens.
    pub tenant_id: TenantId,
    /// Of which service.
    pub kind: IntegrationKind,
    /// What for.
    pub what: ExchangeFor,
    /// Tokens that were had for it already and are stored, though nothing in the log names them yet.
    pub kept: Option<KeptTokens>,
}

/// Tokens that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTokens {
    /// The pair.
    pub tokens: TokenPairRef,
    /// Where the account is.
    pub base_url: BaseUrl,
}

/// Exchanges under way: recorded before anything is sent, so that whoever comes after a crash knows of them.
#[async_trait]
pub trait TokenExchanges: Send + Sync {
    /// Takes the right to exchange this; none where somebody else has it. What a process left behind that has ended is
    /// taken over once its time is over.
    async fn begin(
        &self,
        tenant: TenantId,
        kind: IntegrationKind,
        what: ExchangeFor,
    ) -> Result<Option<Exchange>, PortError>;

    /// Seals both tokens and notes them with the exchange, all or nothing; none where others were noted first. Who holds the
    /// right by then does not matter: the service gave them, and gives them no second time.
    async fn keep(
        &self,
        exchange: &Exchange,
        pair: &TokenPair,
        now: DateTime<Utc>,
    ) -> Result<Option<KeptTokens>, PortError>;

    /// The newest exchange of a person's code whose tokens are stored, but that was not ended.
    async fn left_behind(&self, tenant: TenantId, kind: IntegrationKind) -> Result<Option<Exchange>, PortError>;

    /// Gives the right back; the exchange is still to be done.
    async fn release(&self, exchange: &Exchange) -> Result<(), PortError>;

    /// Forgets the exchange: what came of it is in the log.
    async fn end(&self, exchange: &Exchange) -> Result<(), PortError>;
}

/// A way to another access token.
#[derive(Clone)]
pub struct Renewal(pub Arc<dyn RenewAccess>);

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renewal")
    }
}

/// Gives an account once more when its access token is not taken.
#[async_trait]
pub trait RenewAccess: Send + Sync {
    /// The account with another access token than the one that was opened.
    async fn renewed(&self) -> Result<Account, UpstreamError>;
}
