//! Letting Synkro into a company's account at the service itself (OAuth 2.0, authorization code).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ErrorKind;
use domain::access::Permission;
use domain::integration::{IntegrationError, IntegrationKind};
use domain::session::Session;
use domain::tenant::Tenant;
use domain::user::{Membership, User};
use domain::values::{Language, Slug};
use secrecy::SecretString;
use tracing::Instrument as _;

use super::CheckIntegration;
use super::keep_tokens::KeepTokens;
use crate::context::{Actor, Origin, Principal, RequestContext, person_needed};
use crate::error::{AppError, PortError};
use crate::ports::access::AccessMatrix;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::oauth::{AuthorizationStates, Begun, ExchangeFor};

/// How long somebody may take at the service.
const LIFE_OF_STATE: TimeDelta = TimeDelta::minutes(10);

/// Lets Synkro in.
pub struct AuthorizeIntegration {
    /// Tokens, and all that they are had with.
    pub tokens: Arc<KeepTokens>,
    /// Asking the service whether it works.
    pub check: Arc<CheckIntegration>,
    /// Authorizations that were begun.
    pub states: Arc<dyn AuthorizationStates>,
    /// The sessions as the log knows them.
    pub sessions: Arc<dyn Commands<Session>>,
    /// The users as the log knows them.
    pub users: Arc<dyn Commands<User>>,
    /// The companies as the log knows them.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// What roles may.
    pub matrix: Arc<dyn AccessMatrix>,
}

/// Where a person goes to let Synkro in.
pub struct BegunAuthorization {
    /// The page at the service.
    pub address: SecretString,
    /// What the session's browser brings back beside the state.
    pub browser: SecretString,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What the person's browser brought back.
#[derive(Default)]
pub struct Callback {
    /// The short name of the company in the address.
    pub slug: String,
    /// The state.
    pub state: Option<SecretString>,
    /// What tells the browser of the session.
    pub browser: Option<SecretString>,
    /// The code to exchange.
    pub code: Option<SecretString>,
    /// The host of the account.
    pub referer: Option<String>,
    /// The integration that was let in.
    pub client_id: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// What became of a callback.
pub struct Returned {
    /// The language that the company of the address is spoken to in; none where there is no such company.
    pub language: Option<Language>,
    /// The place in the log, or the refusal.
    pub outcome: Result<Option<LogPosition>, AppError>,
}

impl AuthorizeIntegration {
    /// Begins for the session that asks.
    ///
    /// # Errors
    /// `forbidden` without the right to change settings, and for programs; `not_found` and `conflict` where the integration's
    /// client id and secret are not saved yet.
    pub async fn begin(&self, context: &RequestContext, kind: IntegrationKind) -> Result<BegunAuthorization, AppError> {
        let scope = context.authorize(Permission::SettingsWrite)?;
        let Actor::User(principal) = context.actor() else { return Err(person_needed()) };
        let config = self.tokens.load(scope.tenant_id(), kind).await?.ok_or(IntegrationError::NotConfigured)?;
        let client_id = config.settings.client_id().ok_or_else(|| not_prepared(kind))?.to_owned();
        let (tenant_id, session_id) = (scope.tenant_id(), principal.session_id);
        let begun = Begun { tenant_id, user_id: principal.user_id, session_id, client_id };
        let now = self.tokens.clock.now();
        let expires_at = now + LIFE_OF_STATE;
        let issued = self.states.issue(&begun, kind, now, expires_at).await?;
        let address =
            self.tokens.provider.authorize_address(config.settings.base_url(), &begun.client_id, &issued.state);
        Ok(BegunAuthorization { address, browser: issued.browser, expires_at, now })
    }

    /// Takes what a browser brought back from the service, and checks what it connects.
    pub async fn complete(&self, origin: Origin, kind: IntegrationKind, callback: Callback) -> Returned {
        let language = self.language_at(&callback.slug).await;
        let outcome = match self.recognize(origin, kind, &callback).await {
            Ok((context, begun)) => self.connect(&context, kind, begun, callback).await,
            Err(error) => Err(error),
        };
        Returned { language, outcome }
    }

    /// The language of the company of this short name, whoever comes. Where it cannot be told, the page is shown all the
    /// same.
    async fn language_at(&self, slug: &str) -> Option<Language> {
        let found = async {
            let Ok(slug) = slug.parse::<Slug>() else { return Ok(None) };
            let Some(tenant_id) = self.states.company(&slug).await? else { return Ok(None) };
            let tenant = self.tenants.load(tenant_id.uuid()).await?;
            Ok::<_, PortError>(tenant.details().map(|details| details.language))
        };
        found.await.unwrap_or_else(|error| {
            tracing::warn!(error = crate::error::chain(&error), "the language of a company could not be told");
            None
        })
    }

    /// Whose state it is, where it is good, of this company, and of a session of this browser that still stands. What is wrong
    /// with it is not said: whoever guesses learns nothing.
    async fn recognize(
        &self,
        origin: Origin,
        kind: IntegrationKind,
        callback: &Callback,
    ) -> Result<(RequestContext, Begun), AppError> {
        let (Some(state), Some(browser)) = (&callback.state, &callback.browser) else { return Err(refused(kind)) };
        let now = self.tokens.clock.now();
        let begun = self.states.find(kind, state, browser, now).await?.ok_or_else(|| refused(kind))?;
        let tenant = self.tenants.load(begun.tenant_id.uuid()).await?;
        let is_theirs = tenant.details().is_some_and(|details| details.slug.as_str() == callback.slug);
        if !is_theirs || !tenant.is_open() {
            return Err(refused(kind));
        }
        let context = self.still_may(origin, &begun).await?.ok_or_else(|| refused(kind))?;
        if !self.states.use_up(state, now).await? {
            return Err(refused(kind));
        }
        Ok((context, begun))
    }

    /// The request as the user's own, where the session stands and the user may still change settings.
    async fn still_may(&self, origin: Origin, begun: &Begun) -> Result<Option<RequestContext>, PortError> {
        let Session::Open(session) = self.sessions.load(begun.session_id.uuid()).await? else { return Ok(None) };
        let User::Active(user) = self.users.load(begun.user_id.uuid()).await? else { return Ok(None) };
        let Membership::Tenant { tenant_id, role } = user.membership else { return Ok(None) };
        let rights = self.matrix.of(begun.tenant_id).await?.rights(&role);
        let is_same = session.user_id == begun.user_id && tenant_id == begun.tenant_id;
        let may = is_same && session.ends_at > self.tokens.clock.now() && rights.allows(Permission::SettingsWrite);
        let principal = Principal::of_tenant(begun.user_id, tenant_id, role, begun.session_id);
        Ok(may.then(|| RequestContext::for_returned(principal, rights, origin)))
    }

    async fn connect(
        &self,
        context: &RequestContext,
        kind: IntegrationKind,
        begun: Begun,
        callback: Callback,
    ) -> Result<Option<LogPosition>, AppError> {
        let context = context.authorize(Permission::SettingsWrite)?.context().clone();
        let Callback { code, referer, client_id, error, .. } = callback;
        let config = self.tokens.load(begun.tenant_id, kind).await?.ok_or(IntegrationError::NotConfigured)?;
        let is_same = |id: &str| id == begun.client_id && config.settings.client_id() == Some(id);
        if !is_same(client_id.as_deref().unwrap_or(&begun.client_id)) {
            return Err(IntegrationError::AppChanged.into());
        }
        let Some(code) = code.filter(|_| error.is_none()) else { return Err(denied(kind, error.as_deref())) };
        let host = referer.unwrap_or_default();
        let account = self.tokens.provider.account_address(config.settings.base_url(), &host);
        let account = account.ok_or_else(|| strange_host(kind))?;
        let what = ExchangeFor::Code { client_id: begun.client_id.clone(), authorized_by: begun.user_id };
        let exchange = self.tokens.exchanges.begin(begun.tenant_id, kind, what).await?;
        let exchange = exchange.ok_or_else(|| PortError::internal("the exchange of a new code is another's"))?;
        // In a task of its own: a browser may be closed, and the service gives what it gave no second time.
        let (tokens, check) = (Arc::clone(&self.tokens), Arc::clone(&self.check));
        let exchanging = async move {
            let recorded = tokens.exchange(&context, &exchange, &config, &account, &code).await?;
            let checked = check.after_change(&context, kind).await;
            Ok::<_, AppError>(recorded.max(checked.and_then(|report| report.position)))
        };
        let exchanged = tokio::spawn(exchanging.in_current_span());
        exchanged.await.map_err(|error| PortError::Internal(error.into()))?
    }
}

pub(super) fn refused(kind: IntegrationKind) -> AppError {
    let title = kind.title();
    let detail = format!(
        "This way back from {title} was used, is out of time, or did not begin in this browser; connect again in Settings → \
         {title}."
    );
    AppError::new(ErrorKind::Conflict, "oauth.state_refused", detail)
}

fn denied(kind: IntegrationKind, error: Option<&str>) -> AppError {
    let title = kind.title();
    let said = if error == Some("access_denied") { "access was refused there" } else { "no code came from there" };
    let detail = format!("{title} was not connected: {said}. Connect again in Settings → {title}, and allow access.");
    AppError::new(ErrorKind::Conflict, "oauth.denied", detail)
}

fn strange_host(kind: IntegrationKind) -> AppError {
    let title = kind.title();
    let detail = format!(
        "The account that was named is none of {title}; nothing was sent. Connect again in Settings → {title}."
    );
    AppError::new(ErrorKind::Conflict, "oauth.strange_host", detail)
}

pub(super) fn not_prepared(kind: IntegrationKind) -> AppError {
    let title = kind.title();
    let detail = format!("Save the client id and the client secret of your integration in Settings → {title} first.");
    AppError::new(ErrorKind::Conflict, "oauth.not_prepared", detail)
}
