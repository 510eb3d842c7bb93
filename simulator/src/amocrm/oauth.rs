//! Letting an integration in: the page, the token endpoint, and where a moved account is (amoCRM sheet §2).
//!
//! The page asks nobody: an administrator has allowed it, or refuses, as the test or the person at the demo says. Grants are
//! kept in memory and end with the process, as if the account's owner had revoked them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::{
    accounts::{Accounts, Secret, fresh},
    http::{Incoming, Reply},
};

/// How long a code lives, and an access token (§2.2, §2.4).
const CODE_LIVES: Duration = Duration::from_mins(20);
const TOKEN_LIVES: Duration = Duration::from_hours(24);

/// Who was let into the account. All clones share it.
#[derive(Clone)]
pub struct AmocrmGrants {
    client_id: String,
    client_secret: Secret,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    redirect_uri: Option<String>,
    refuses: bool,
    single_use: bool,
    /// The host of the account by now; none where it never moved.
    host: Option<String>,
    codes: HashMap<String, Code>,
    /// The pairs that count: the newest, and the one before it until the newest is used.
    pairs: Vec<Pair>,
}

enum Code {
    Until(Instant),
    Used,
}

struct Pair {
    access: String,
    refresh: String,
    expires: Instant,
}

impl AmocrmGrants {
    pub(crate) fn new(accounts: &Accounts) -> Self {
        let (client_id, client_secret) = (accounts.amocrm_client_id.clone(), accounts.amocrm_client_secret.clone());
        Self { client_id, client_secret, inner: Arc::default() }
    }

    /// The address to come back to, as it is entered in the integration's settings.
    pub fn redirect_to(&self, uri: &str) {
        self.locked().redirect_uri = Some(uri.to_owned());
    }

    /// From now on whoever is asked on the page refuses, or allows.
    pub fn refuse(&self, refuses: bool) {
        self.locked().refuses = refuses;
    }

    /// An old refresh token is of no use from its exchange on, as the vendor's Russian page has it (§2.4).
    pub fn exchange_once_only(&self) {
        self.locked().single_use = true;
    }

    /// Codes that were given out are out of time.
    pub fn expire_codes(&self) {
        self.locked().codes.values_mut().for_each(|code| *code = Code::Until(Instant::now()));
    }

    /// Access tokens that were given out are out of time; their refresh tokens are not.
    pub fn expire_access_tokens(&self) {
        self.locked().pairs.iter_mut().for_each(|pair| pair.expires = Instant::now());
    }

    /// The account's owner throws the integration out.
    pub fn revoke(&self) {
        self.locked().pairs.clear();
    }

    /// The account moves to another host of this service.
    pub fn move_to(&self, host: &str) {
        self.locked().host = Some(host.to_owned());
    }

    /// All tokens that count now, for those who search for them.
    pub fn tokens(&self) -> Vec<Secret> {
        let inner = self.locked();
        inner.pairs.iter().flat_map(|pair| [Secret::new(&pair.access), Secret::new(&pair.refresh)]).collect()
    }

    /// Whether calls with this token are answered. The first use of a pair is the end of the one before it.
    pub(super) fn accepts(&self, host: &str, token: &str) -> bool {
        let mut inner = self.locked();
        if inner.host.as_ref().is_some_and(|moved| moved != host) {
            return false;
        }
        let Some(found) = inner.pairs.iter().position(|pair| pair.access == token) else { return false };
        if inner.pairs[found].expires <= Instant::now() {
            return false;
        }
        inner.pairs.drain(..found);
        true
    }

    pub(super) fn answer(&self, call: &Incoming) -> Reply {
        match (call.segments().as_slice(), &call.method) {
            (["oauth"], &Method::GET) => self.page(call),
            (["oauth2", "access_token"], &Method::POST) => self.token(call),
            (["oauth2", "account", "current", "subdomain"], &Method::GET) => self.domain(call),
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    /// Leads back at once, with a code or with the refusal.
    fn page(&self, call: &Incoming) -> Reply {
        let mut inner = self.locked();
        let host = inner.host.clone().unwrap_or_else(|| call.header("host").unwrap_or_default().to_owned());
        let known = call.param("client_id") == Some(self.client_id.as_str());
        let Some(redirect) = inner.redirect_uri.clone().filter(|_| known) else {
            return refusal(StatusCode::BAD_REQUEST, "Check the `client_id` parameter");
        };
        let state = call.param("state").unwrap_or_default();
        let mut query = vec![("client_id", self.client_id.clone()), ("state", state.to_owned())];
        if inner.refuses {
            query.push(("error", "access_denied".to_owned()));
        } else {
            let code = fresh("def50200");
            inner.codes.insert(code.clone(), Code::Until(Instant::now() + CODE_LIVES));
            query.extend([("code", code), ("referer", host)]);
        }
        match Url::parse_with_params(&redirect, query) {
            Ok(back) => Reply::empty(StatusCode::FOUND).header("location", back.as_str()),
            Err(_) => refusal(StatusCode::BAD_REQUEST, "Check the redirect URI of the integration"),
        }
    }

    fn token(&self, call: &Incoming) -> Reply {
        let mut inner = self.locked();
        let host = call.header("host").unwrap_or_default();
        if inner.host.as_ref().is_some_and(|moved| moved != host) {
            return refusal(StatusCode::UNAUTHORIZED, "The account is not here");
        }
        let asked = call.json().unwrap_or_default();
        let said = |name: &str| asked[name].as_str().unwrap_or_default();
        let knows = said("client_id") == self.client_id && said("client_secret") == self.client_secret.expose();
        if !knows || Some(said("redirect_uri")) != inner.redirect_uri.as_deref() {
            return refusal(StatusCode::BAD_REQUEST, "Check the `client_id` parameter");
        }
        let exchanged = match said("grant_type") {
            "authorization_code" => inner.exchange_code(said("code")),
            "refresh_token" => inner.exchange_refresh(said("refresh_token")),
            _ => Err("Check the `grant_type` parameter"),
        };
        match exchanged {
            Ok(tokens) => Reply::json(StatusCode::OK, &tokens),
            Err(hint) => refusal(StatusCode::BAD_REQUEST, hint),
        }
    }

    fn domain(&self, call: &Incoming) -> Reply {
        let inner = self.locked();
        let token = call.header("x-refresh-token");
        let host = inner.host.clone().unwrap_or_else(|| call.header("host").unwrap_or_default().to_owned());
        if inner.pairs.iter().any(|pair| Some(pair.refresh.as_str()) == token) {
            let subdomain = host.split('.').next().unwrap_or_default().to_owned();
            return Reply::json(
                StatusCode::OK,
                &json!({"subdomain": subdomain, "domain": host, "top_level_domain": "ru"}),
            );
        }
        refusal(StatusCode::UNAUTHORIZED, "Invalid refresh token")
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn exchange_code(&mut self, code: &str) -> Result<Value, &'static str> {
        match self.codes.get_mut(code) {
            None => return Err("Cannot decrypt the authorization code"),
            Some(Code::Used) => return Err("Authorization code has been revoked"),
            Some(Code::Until(until)) if *until <= Instant::now() => return Err("Authorization code has expired"),
            Some(good) => *good = Code::Used,
        }
        self.pairs.clear();
        Ok(self.issue())
    }

    /// A pair goes until its successor is used, so that one whose answer was lost can be exchanged once more.
    fn exchange_refresh(&mut self, refresh: &str) -> Result<Value, &'static str> {
        let Some(found) = self.pairs.iter().position(|pair| pair.refresh == refresh) else {
            return Err("Token has been revoked");
        };
        self.pairs.truncate(found + 1);
        if self.single_use {
            self.pairs.clear();
        }
        Ok(self.issue())
    }

    fn issue(&mut self) -> Value {
        let (access, refresh) = (fresh("eyJ0eXAiOiJKV1QifQ."), fresh("def50200"));
        let expires = Instant::now() + TOKEN_LIVES;
        let answer = json!({
            "token_type": "Bearer", "expires_in": TOKEN_LIVES.as_secs(),
            "access_token": access, "refresh_token": refresh,
        });
        self.pairs.push(Pair { access, refresh, expires });
        answer
    }
}

/// The body of OAuth's refusals (§2.5).
fn refusal(status: StatusCode, hint: &str) -> Reply {
    let body = json!({
        "hint": hint, "title": "Некорректный запрос", "status": status.as_u16(),
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
    });
    Reply::typed(status, "application/problem+json", &body)
}
