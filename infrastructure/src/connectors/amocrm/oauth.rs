//! How people let Synkro in, and how tokens are exchanged (sheet §2).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use application::ports::oauth::{NoTokens, OauthApp, OauthProvider, TokenPair};
use application::ports::services::{AGAIN, Account, Delivery, UpstreamError};
use async_trait::async_trait;
use domain::integration::{IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use domain::values::BaseUrl;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{DIALECT, RATE, hosts};
use crate::connectors::http::{AccountClient, Call, HttpClient, Reply, Verdict, nonsense};

/// Longest time of one call; three of them, which a moved account takes, end before the right to exchange does.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How long a block lasts at least that follows too many requests (sheet §5).
const COOL_DOWN: Duration = Duration::from_mins(10);

/// Refusals that say why in their body, or by their status.
const REFUSALS: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::PAYMENT_REQUIRED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::UNPROCESSABLE_ENTITY,
];

/// How people let Synkro into amoCRM.
pub struct AmocrmOauth {
    http: Arc<HttpClient>,
}

/// What is asked of the token endpoint.
#[derive(Serialize)]
struct Ask<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    grant_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    redirect_uri: &'a str,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Hidden,
    refresh_token: Hidden,
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct Hidden(SecretString);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Where an account is by now.
#[derive(Deserialize)]
struct Domain {
    domain: String,
}

impl AmocrmOauth {
    pub(crate) fn new(http: Arc<HttpClient>) -> Self {
        Self { http }
    }

    fn client(
        &self,
        app: &OauthApp,
        account: &BaseUrl,
        key: (SecretName, &SecretString),
    ) -> Result<AccountClient, UpstreamError> {
        let settings =
            IntegrationSettings::Amocrm { base_url: account.clone(), client_id: Some(app.client_id.clone()) };
        let secrets = BTreeMap::from([(key.0, key.1.clone())]);
        let (tenant_id, phone_region, renewal) = (app.tenant_id, None, None);
        let opened = Account { tenant_id, settings, version: 0, phone_region, secrets, renewal, is_awaited: false };
        Ok(AccountClient::open(&self.http, &DIALECT, &opened, account, key.0)?.with_rate(RATE, ""))
    }

    /// Asks the token endpoint. The inner error is its no for good, for the caller to say why.
    async fn ask(
        &self,
        app: &OauthApp,
        account: &BaseUrl,
        ask: &Ask<'_>,
    ) -> Result<Result<TokenPair, Reply>, UpstreamError> {
        let client = self.client(app, account, (SecretName::ClientSecret, &app.client_secret))?;
        let body = serde_json::to_string(ask).map_err(|_| nonsense(&DIALECT, "an exchange that cannot be written"))?;
        let call = Call::post_json(["oauth2", "access_token"], body).within(TIMEOUT).has_effect();
        let reply = client.send(&accepting_refusals(call)).await?;
        if let Some(error) = not_now(reply.status, ask.code.is_some()) {
            return Err(error);
        }
        if !reply.status.is_success() {
            return Ok(Err(reply));
        }
        let tokens: Option<Tokens> = client.parse(&reply)?;
        let Tokens { access_token, refresh_token, expires_in } =
            tokens.ok_or_else(|| nonsense(&DIALECT, "nothing where tokens were expected"))?;
        Ok(Ok(TokenPair {
            access_token: access_token.0,
            refresh_token: refresh_token.0,
            lives: Duration::from_secs(expires_in),
            base_url: account.clone(),
        }))
    }

    /// Where the account is that is not where it was; none where amoCRM does not know it, or names a host of others.
    /// Where it does not answer nothing is known, so the tokens may be good yet.
    async fn moved_to(
        &self,
        app: &OauthApp,
        account: &BaseUrl,
        refresh: &SecretString,
    ) -> Result<Option<BaseUrl>, UpstreamError> {
        let client = self.client(app, account, (SecretName::RefreshToken, refresh))?;
        let client = client.with_key_header("x-refresh-token", "")?;
        let call = Call::get(["oauth2", "account", "current", "subdomain"]).within(TIMEOUT).has_effect();
        let reply = client.send(&accepting_refusals(call)).await?;
        if let Some(error) = not_now(reply.status, false) {
            return Err(error);
        }
        if !reply.status.is_success() {
            return Ok(None);
        }
        let found: Option<Domain> = client.parse(&reply)?;
        let address = found.and_then(|found| hosts::account_address(self.http.egress(), account, &found.domain));
        Ok(address.filter(|address| address != account))
    }
}

#[async_trait]
impl OauthProvider for AmocrmOauth {
    fn authorize_address(&self, account: &BaseUrl, client_id: &str, state: &SecretString) -> SecretString {
        let query = [("client_id", client_id), ("state", state.expose_secret()), ("mode", "popup")];
        let page = Url::parse_with_params(&hosts::authorize_page(account), query);
        SecretString::from(page.map(String::from).unwrap_or_default())
    }

    fn account_address(&self, saved: &BaseUrl, host: &str) -> Option<BaseUrl> {
        hosts::account_address(self.http.egress(), saved, host)
    }

    async fn exchange(&self, app: &OauthApp, account: &BaseUrl, code: &SecretString) -> Result<TokenPair, NoTokens> {
        let ask = Ask { grant_type: "authorization_code", code: Some(code.expose_secret()), ..Ask::of(app) };
        let asked = self.ask(app, account, &ask).await.map_err(NoTokens::Failed)?;
        asked.map_err(|reply| NoTokens::Refused(code_refused(&hint(&reply))))
    }

    async fn renew(&self, app: &OauthApp, account: &BaseUrl, refresh: &SecretString) -> Result<TokenPair, NoTokens> {
        let ask = Ask { grant_type: "refresh_token", refresh_token: Some(refresh.expose_secret()), ..Ask::of(app) };
        let refused = match self.ask(app, account, &ask).await.map_err(NoTokens::Failed)? {
            Ok(pair) => return Ok(pair),
            Err(refused) => refused,
        };
        // Of an account that has moved its old host knows nothing (sheet §2.4).
        if matches!(refused.status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND)
            && let Some(moved) = self.moved_to(app, account, refresh).await.map_err(NoTokens::Failed)?
        {
            let asked = self.ask(app, &moved, &ask).await.map_err(NoTokens::Failed)?;
            return asked.map_err(|reply| NoTokens::Refused(refresh_refused(&hint(&reply))));
        }
        Err(NoTokens::Refused(refresh_refused(&hint(&refused))))
    }
}

impl<'a> Ask<'a> {
    fn of(app: &'a OauthApp) -> Self {
        Self {
            client_id: &app.client_id,
            client_secret: app.client_secret.expose_secret(),
            grant_type: "",
            code: None,
            refresh_token: None,
            redirect_uri: &app.redirect_uri,
        }
    }
}

fn accepting_refusals(call: Call) -> Call {
    REFUSALS.into_iter().fold(call, Call::accept)
}

/// A no that has nothing to do with the tokens and passes: once somebody pays, or with time. The token endpoint asks
/// for no rights, so 403 is a block there (sheet §5). `connects` is true for a person who is about to let Synkro in.
fn not_now(status: StatusCode, connects: bool) -> Option<UpstreamError> {
    let verdict = match (status, connects) {
        (StatusCode::PAYMENT_REQUIRED, true) => {
            let advice = "Pay for the account at amoCRM, then connect again in Settings → amoCRM";
            Verdict::permanent("amoCRM was not connected: it says that the account is not paid", advice)
        }
        (StatusCode::PAYMENT_REQUIRED, false) => Verdict::permanent(
            "amoCRM gives no new token: it says that the account is not paid",
            "Pay for the account at amoCRM, then start the run again; the connection is kept",
        ),
        (StatusCode::FORBIDDEN, true) => blocked("Wait an hour, then connect again in Settings → amoCRM"),
        (StatusCode::FORBIDDEN, false) => blocked(&format!("Wait an hour; the connection is kept. {AGAIN}")),
        _ => return None,
    };
    Some(DIALECT.error(verdict, Delivery::NotDelivered))
}

fn blocked(advice: &str) -> Verdict {
    let message = "amoCRM has blocked the account or Synkro's address for a while, as it does after too many requests";
    Verdict::new(FailureClass::Transient, message, advice).after(Some(COOL_DOWN))
}

/// amoCRM's own word on why, in lower case. It is told by, and never shown: it may quote what was sent.
fn hint(reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
    body["hint"].as_str().unwrap_or_default().to_lowercase()
}

fn error(message: &str, advice: &str) -> UpstreamError {
    DIALECT.error(Verdict::new(FailureClass::Auth, message, advice), Delivery::NotDelivered)
}

fn code_refused(hint: &str) -> UpstreamError {
    if hint.contains("client") {
        return wrong_app();
    }
    let message = if hint.contains("expired") {
        "amoCRM says that the code of this connection is out of time"
    } else if hint.contains("revoked") {
        "amoCRM says that the code of this connection was used already"
    } else {
        "amoCRM did not accept the code of this connection"
    };
    error(message, "Connect again in Settings → amoCRM, and come back within 20 minutes")
}

fn refresh_refused(hint: &str) -> UpstreamError {
    if hint.contains("client") {
        return wrong_app();
    }
    error(
        "amoCRM does not accept the refresh token any more: it was revoked, used, or not used for three months",
        "Connect again in Settings → amoCRM",
    )
}

fn wrong_app() -> UpstreamError {
    error(
        "amoCRM does not know this client id with this client secret and this address to come back to",
        "Check client id, client secret and redirect address of your integration in amoCRM against Settings → amoCRM, then \
         connect again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connectors::http::HttpOptions;

    #[test]
    fn the_address_where_people_let_synkro_in_is_the_sheets() {
        let oauth = AmocrmOauth::new(HttpClient::new(HttpOptions::default()).unwrap());
        let account = "https://demo.amocrm.ru".parse().unwrap();
        let address = oauth.authorize_address(&account, "11111111-2222-3333-4444-555555555555", &"abc123".into());
        let expected =
            "https://www.amocrm.ru/oauth?client_id=11111111-2222-3333-4444-555555555555&state=abc123&mode=popup";
        assert_eq!(address.expose_secret(), expected);
    }

    #[test]
    fn an_unpaid_and_a_blocked_account_are_told_from_tokens_that_are_refused() {
        let unpaid = not_now(StatusCode::PAYMENT_REQUIRED, false).unwrap();
        assert_eq!((unpaid.class, unpaid.retry_after), (FailureClass::Permanent, None));
        assert!(unpaid.advice.contains("Pay") && unpaid.advice.contains("is kept"), "{unpaid:?}");
        let blocked = not_now(StatusCode::FORBIDDEN, false).unwrap();
        assert_eq!((blocked.class, blocked.retry_after), (FailureClass::Transient, Some(COOL_DOWN)));
        assert!(blocked.message.contains("blocked") && blocked.advice.contains("Wait"), "{blocked:?}");
        for status in [StatusCode::PAYMENT_REQUIRED, StatusCode::FORBIDDEN] {
            assert!(not_now(status, true).unwrap().advice.contains("connect again"), "{status}");
        }
        for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND] {
            assert!(not_now(status, false).is_none(), "{status}");
        }
    }

    #[test]
    fn the_hints_of_the_sheet_are_told_apart() {
        let said = |hint: &str| code_refused(&hint.to_lowercase()).message;
        assert!(said("Authorization code has expired").contains("out of time"));
        assert!(said("Authorization code has been revoked").contains("used already"));
        assert!(said("Cannot decrypt the authorization code").contains("did not accept"));
        assert!(said("Check the `client_id` parameter").contains("client id"));
        assert!(refresh_refused("token has been revoked").advice.contains("Connect again"));
        assert!(refresh_refused("check the `client_id` parameter").message.contains("client secret"));
    }
}
