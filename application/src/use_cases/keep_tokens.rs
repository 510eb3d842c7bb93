//! Keeping the tokens of an account that a person let Synkro into: renewed in time, by one worker for all.
//!
//! Every exchange is recorded before it is made, its tokens are stored before they are used, and the log is told last. So
//! a process may end between any two of these, and the next one goes on from there (ADR 0028).

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::ids::{IntegrationId, SecretId, TenantId};
use domain::integration::{
    Access, Authorize, Configured, IntegrationCommand, IntegrationConfig, IntegrationError, IntegrationKind, Renew,
    SecretName,
};
use domain::job_run::FailureClass;
use domain::tenant::Tenant;
use domain::values::BaseUrl;
use secrecy::SecretString;

use super::authorize_integration::{not_prepared, refused};
use crate::context::RequestContext;
use crate::error::{AppError, CommandError, PortError};
use crate::mail::PublicUrl;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::oauth::{Exchange, ExchangeFor, KeptTokens, NoTokens, OauthApp, OauthProvider, TokenExchanges};
use crate::ports::services::{AGAIN, Delivery, UpstreamError};
use crate::ports::vault::{SecretPlace, Vault};

/// An access token with less time left is renewed before a call is made with it.
const EARLY: TimeDelta = TimeDelta::minutes(5);

/// How long one waits for another's renewal, and how often one looks.
const PATIENCE: Duration = Duration::from_secs(70);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps tokens.
#[derive(Clone)]
pub struct KeepTokens {
    /// The log.
    pub integrations: Arc<dyn Commands<IntegrationConfig>>,
    /// The companies, whose names are in the addresses that people come back to.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Sealed secrets.
    pub vault: Arc<dyn Vault>,
    /// Exchanges under way.
    pub exchanges: Arc<dyn TokenExchanges>,
    /// The service.
    pub provider: Arc<dyn OauthProvider>,
    /// Where people come back to.
    pub public_url: PublicUrl,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl KeepTokens {
    /// The country in whose way phones without a country code are read. It is kept with the conversations' settings, and holds
    /// for the CRM too, so that both sides of a match are read alike.
    pub(super) async fn phone_region(&self, tenant_id: TenantId) -> Result<Option<String>, PortError> {
        let config = self.load(tenant_id, IntegrationKind::Radist).await?;
        Ok(config.and_then(|config| config.settings.phone_region().map(str::to_owned)))
    }

    /// The configuration with an access token that is good for a while, and is not the `stale` one. Configurations whose
    /// secrets people gave are answered as they are.
    ///
    /// # Errors
    /// `Ok(Err(_))` says that somebody has to connect, or connect again, or that the service does not answer.
    pub async fn fresh(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
        stale: Option<SecretId>,
    ) -> Result<Result<Configured, UpstreamError>, PortError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut is_renewed = false;
        loop {
            let Some(config) = self.load(tenant_id, kind).await? else { return Ok(Err(not_set_up(kind))) };
            if !config.settings.is_authorized_there() {
                return Ok(Ok(config));
            }
            if let Some(exchange) = self.exchanges.left_behind(tenant_id, kind).await? {
                self.record(&self.context(tenant_id), &exchange).await?;
                continue;
            }
            let expires_at = match &config.access {
                Access::Granted { expires_at } => *expires_at,
                Access::Lost { reason } => return Ok(Err(lost(kind, reason))),
                Access::Given | Access::Awaited => return Ok(Err(not_connected(kind))),
            };
            let is_stale = stale.is_some() && config.secret(SecretName::AccessToken) == stale;
            if expires_at > self.clock.now() + EARLY && !is_stale {
                return Ok(Ok(config));
            }
            if is_renewed {
                // A service whose tokens are over at once would be asked for ever.
                return Ok(if expires_at > self.clock.now() { Ok(config) } else { Err(over_at_once(kind)) });
            }
            let Some(replaces) = config.secret(SecretName::RefreshToken) else { return Ok(Err(not_connected(kind))) };
            let what = ExchangeFor::Refresh { replaces };
            if let Some(exchange) = self.exchanges.begin(tenant_id, kind, what).await? {
                is_renewed = true;
                // In a task of its own: whoever asked may be cut off, and the service gives what it gave no second time.
                let this = self.clone();
                let renewed = tokio::spawn(async move { this.renew(&exchange, replaces).await }).await;
                if let Err(error) = renewed.map_err(|error| PortError::Internal(error.into()))?? {
                    // A token that still is good needs no new one yet.
                    let still_good = expires_at > self.clock.now() && !is_stale && error.class != FailureClass::Auth;
                    return Ok(if still_good { Ok(config) } else { Err(error) });
                }
            } else if tokio::time::Instant::now() > deadline {
                return Ok(Err(being_renewed(kind)));
            } else {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Exchanges a code that a browser brought back, in the name of the person whose browser that is.
    pub(super) async fn exchange(
        &self,
        context: &RequestContext,
        exchange: &Exchange,
        config: &Configured,
        account: &BaseUrl,
        code: &SecretString,
    ) -> Result<Option<LogPosition>, AppError> {
        let Some(app) = self.app(exchange.tenant_id, config).await? else { return Err(not_prepared(exchange.kind)) };
        match self.provider.exchange(&app, account, code).await {
            Ok(pair) => {
                let kept = self.exchanges.keep(exchange, &pair, self.clock.now()).await?;
                let kept = kept.ok_or_else(|| refused(exchange.kind))?;
                Ok(self.record(context, &Exchange { kept: Some(kept), ..exchange.clone() }).await?)
            }
            Err(NoTokens::Refused(error) | NoTokens::Failed(error)) => {
                self.exchanges.end(exchange).await?;
                Err(error.into())
            }
        }
    }

    /// Renews under the right to do so. What another has done meanwhile is left as it is.
    async fn renew(&self, exchange: &Exchange, replaces: SecretId) -> Result<Result<(), UpstreamError>, PortError> {
        let Exchange { tenant_id, kind, .. } = *exchange;
        let current = self.load(tenant_id, kind).await?;
        let current = current.filter(|config| config.secret(SecretName::RefreshToken) == Some(replaces));
        let Some(config) = current else { return self.exchanges.end(exchange).await.map(Ok) };
        let context = self.context(tenant_id);
        if exchange.kept.is_some() {
            return self.record(&context, exchange).await.map(|_| Ok(()));
        }
        let place = SecretPlace { tenant_id, kind, name: SecretName::RefreshToken };
        let refresh = self.vault.open(place, replaces).await?;
        let Some(app) = self.app(tenant_id, &config).await? else { return Ok(Err(not_connected(kind))) };
        match self.provider.renew(&app, config.settings.base_url(), &refresh).await {
            Ok(pair) => {
                if let Some(kept) = self.exchanges.keep(exchange, &pair, self.clock.now()).await? {
                    self.record(&context, &Exchange { kept: Some(kept), ..exchange.clone() }).await?;
                }
                Ok(Ok(()))
            }
            Err(NoTokens::Refused(error)) => {
                let reason = format!("{error}. {}", error.advice);
                let lose = IntegrationCommand::LoseAccess { refresh_token: replaces, reason, at: self.clock.now() };
                self.tell(&context, exchange, lose).await?;
                self.exchanges.end(exchange).await?;
                Ok(Err(error))
            }
            Err(NoTokens::Failed(error)) => {
                self.exchanges.release(exchange).await?;
                Ok(Err(error))
            }
        }
    }

    /// Tells the log of the tokens that were kept, and forgets the exchange. Where the process has ended that a person
    /// came back to, another one tells it in its own name; the event says who the person was.
    async fn record(&self, context: &RequestContext, exchange: &Exchange) -> Result<Option<LogPosition>, PortError> {
        let Some(KeptTokens { tokens, base_url }) = exchange.kept.clone() else { return Ok(None) };
        let at = self.clock.now();
        let command = match exchange.what.clone() {
            ExchangeFor::Code { client_id, authorized_by } => {
                IntegrationCommand::Authorize(Authorize { client_id, base_url, tokens, authorized_by, at })
            }
            ExchangeFor::Refresh { replaces } => IntegrationCommand::Renew(Renew { replaces, base_url, tokens, at }),
        };
        let position = self.tell(context, exchange, command).await?;
        self.exchanges.end(exchange).await?;
        Ok(position)
    }

    /// Tokens that belong to what is no longer configured are of no use, and nobody is told.
    async fn tell(
        &self,
        context: &RequestContext,
        exchange: &Exchange,
        command: IntegrationCommand,
    ) -> Result<Option<LogPosition>, PortError> {
        let id = IntegrationId::of(exchange.tenant_id, exchange.kind).uuid();
        match self.integrations.execute(context, id, command).await {
            Ok(recorded) => Ok(recorded.position),
            Err(CommandError::Rule(IntegrationError::AppChanged | IntegrationError::NotConfigured)) => Ok(None),
            Err(CommandError::Log(error)) => Err(error),
            Err(error) => Err(PortError::Unavailable(Box::new(error))),
        }
    }

    /// That of the keeper's own work.
    fn context(&self, tenant_id: TenantId) -> RequestContext {
        let request = self.ids.next();
        RequestContext::for_system("oauth", tenant_id, request, request)
    }

    /// The address that people of the company come back to from the service, to be entered there; none for services that
    /// nobody lets Synkro into.
    pub(super) async fn callback_url(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
    ) -> Result<Option<String>, PortError> {
        if kind != IntegrationKind::Amocrm {
            return Ok(None);
        }
        let tenant = self.tenants.load(tenant_id.uuid()).await?;
        Ok(tenant.details().map(|details| self.public_url.callback(kind.name(), details.slug.as_str())))
    }

    /// The company's integration at the service; none without its secret.
    pub(super) async fn app(&self, tenant_id: TenantId, config: &Configured) -> Result<Option<OauthApp>, PortError> {
        let (client_id, secret_id) = (config.settings.client_id(), config.secret(SecretName::ClientSecret));
        let (Some(client_id), Some(secret_id)) = (client_id, secret_id) else { return Ok(None) };
        let kind = config.settings.kind();
        let Some(redirect_uri) = self.callback_url(tenant_id, kind).await? else { return Ok(None) };
        let place = SecretPlace { tenant_id, kind, name: SecretName::ClientSecret };
        Ok(Some(OauthApp {
            tenant_id,
            client_id: client_id.to_owned(),
            client_secret: self.vault.open(place, secret_id).await?,
            redirect_uri,
        }))
    }

    pub(super) async fn load(
        &self,
        tenant_id: TenantId,
        kind: IntegrationKind,
    ) -> Result<Option<Configured>, PortError> {
        let config = self.integrations.load(IntegrationId::of(tenant_id, kind).uuid()).await?;
        Ok(config.configured().cloned())
    }
}

/// A failure that was found before anything was sent.
fn unsent(service: IntegrationKind, class: FailureClass, message: String, advice: String) -> UpstreamError {
    UpstreamError {
        service,
        class,
        message,
        advice,
        retry_after: None,
        delivery: Delivery::NotDelivered,
        tokens: None,
        was_turned_away: false,
    }
}

pub(super) fn not_set_up(kind: IntegrationKind) -> UpstreamError {
    let title = kind.title();
    let (message, advice) = (format!("{title} has not been set up yet"), format!("Set up {title} in the settings."));
    unsent(kind, FailureClass::Permanent, message, advice)
}

fn not_connected(kind: IntegrationKind) -> UpstreamError {
    let title = kind.title();
    let message = format!("{title} is not connected yet: nobody has let Synkro in there");
    unsent(kind, FailureClass::Auth, message, format!("Connect in Settings → {title}"))
}

fn lost(kind: IntegrationKind, reason: &str) -> UpstreamError {
    let title = kind.title();
    let message = format!("{title} is not connected any more. {}", reason.trim_end_matches('.'));
    unsent(kind, FailureClass::Auth, message, format!("Connect again in Settings → {title}"))
}

fn being_renewed(kind: IntegrationKind) -> UpstreamError {
    let message = format!("The token for {} is being renewed and is not there yet", kind.title());
    unsent(kind, FailureClass::Transient, message, AGAIN.to_owned())
}

fn over_at_once(kind: IntegrationKind) -> UpstreamError {
    let message = format!("{} gave a token whose time was over at once", kind.title());
    let advice = format!("Check the address in Settings → {}; if it is right, tell Synkro's support", kind.title());
    unsent(kind, FailureClass::Permanent, message, advice)
}
