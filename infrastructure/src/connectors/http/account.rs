//! The client of one account: its address, its key, its share of the rate limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use application::ports::services::{Account, Delivery, UpstreamError};
use backon::Retryable;
use domain::ids::TenantId;
use domain::integration::SecretName;
use domain::job_run::FailureClass;
use domain::values::BaseUrl;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::error::Category;
use tokio::time::Instant;
use url::Url;

use super::body::{self, BodyError};
use super::call::{Body, Call, Repeat, Reply};
use super::circuit::Sign;
use super::dialect::{Dialect, Refusal, Verdict, nonsense};
use super::egress::Passage;
use super::lanes::{Lane, LaneKey};
use super::request_log::Tried;
use super::retry_after::retry_after;
use super::{HttpClient, HttpOptions, RetryOptions, scrub};
use crate::limits::{Rate, TurnBucket, TurnKey};

/// Calls one account of one service. It cannot be printed: it holds the account's key.
pub(crate) struct AccountClient {
    http: Arc<HttpClient>,
    dialect: &'static Dialect,
    tenant_id: TenantId,
    base: Url,
    host: String,
    passage: Passage,
    secret: SecretString,
    headers: HeaderMap,
    path_prefix: Option<SecretString>,
    turns: Option<Arc<TurnBucket>>,
    lane: Arc<Lane>,
    unauthorized: AtomicBool,
    retry: RetryOptions,
    call_timeout: Duration,
    /// How long a call waits for its turn; for ever where nobody waits for the answer.
    turn_patience: Option<Duration>,
}

/// A failed try and whether another one makes sense now.
struct Failed {
    error: UpstreamError,
    again: bool,
}

impl AccountClient {
    /// A client for an account, after a look at its address and its key.
    ///
    /// # Errors
    /// When the address must not be called, or the key is missing.
    pub(crate) fn open(
        http: &Arc<HttpClient>,
        dialect: &'static Dialect,
        account: &Account,
        base_url: &BaseUrl,
        secret: SecretName,
    ) -> Result<Self, UpstreamError> {
        let base = Url::parse(base_url.as_str()).map_err(|_| nonsense(dialect, "an address that is none"))?;
        let host = host_of(&base);
        let passage = http.options.egress.passage(&base).map_err(|refused| dialect.egress_refused(&host, refused))?;
        let secret = account.secrets.get(&secret).map(|secret| secret.expose_secret().trim()).unwrap_or_default();
        if secret.is_empty() {
            return Err(dialect.bad_credential(&format!("{} is not saved", dialect.credential)));
        }
        let HttpOptions { retry, call_timeout, awaited, .. } = &http.options;
        let (retry, call_timeout, turn_patience) = if account.is_awaited {
            (retry.awaited(awaited), (*call_timeout).min(awaited.call_timeout), Some(awaited.longest_wait))
        } else {
            (retry.clone(), *call_timeout, None)
        };
        let lane = LaneKey { tenant_id: account.tenant_id, service: dialect.service, host: host.clone() };
        Ok(Self {
            lane: http.lanes.lane(lane),
            http: Arc::clone(http),
            dialect,
            tenant_id: account.tenant_id,
            base,
            host,
            passage,
            secret: SecretString::from(secret),
            headers: HeaderMap::new(),
            path_prefix: None,
            turns: None,
            unauthorized: AtomicBool::new(false),
            retry,
            call_timeout,
            turn_patience,
        })
    }

    /// Sends the key in a header, after `scheme` (empty, or a word and a space).
    ///
    /// # Errors
    /// When the key holds characters that no header can.
    pub(crate) fn with_key_header(mut self, name: &'static str, scheme: &str) -> Result<Self, UpstreamError> {
        let mut value = HeaderValue::from_str(&format!("{scheme}{}", self.secret.expose_secret())).map_err(|_| {
            self.dialect.bad_credential(&format!("{} holds characters that no key has", self.dialect.credential))
        })?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Puts the key into the path, as its first segment after `prefix`.
    pub(crate) fn with_key_in_path(mut self, prefix: &str) -> Self {
        self.path_prefix = Some(SecretString::from(format!("{prefix}{}", self.secret.expose_secret())));
        self
    }

    /// Limits the account's calls together with everybody else who calls it.
    pub(crate) fn with_rate(mut self, rate: Rate, part: &str) -> Self {
        let key = TurnKey {
            tenant_id: self.tenant_id,
            service: self.dialect.service,
            host: self.host.clone(),
            part: part.to_owned(),
        };
        self.turns = Some(self.http.turns.bucket(key, rate));
        self
    }

    /// The key, for checks that need to look at it.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Whether the service has said that it does not take the key any more (status 401).
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.unauthorized.load(Ordering::Relaxed)
    }

    /// The host, with its port where it is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Longest time of a question to an AI model.
    pub(crate) fn model_timeout(&self) -> Duration {
        self.http.model_timeout()
    }

    /// Makes the call, again where that helps, and returns an answer with a status of success or an accepted one.
    pub(crate) async fn send(&self, call: &Call) -> Result<Reply, UpstreamError> {
        self.repeatedly(call, Ok).await
    }

    /// The same, with the answer read as JSON. `None` where the answer has no body by its status.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>, UpstreamError> {
        self.repeatedly(call, |reply| self.parse(&reply)).await
    }

    /// Reads an answer's body as JSON.
    pub(crate) fn parse<T: DeserializeOwned>(&self, reply: &Reply) -> Result<Option<T>, UpstreamError> {
        if body::is_empty_by_status(reply.status) {
            return Ok(None);
        }
        let parsed = serde_json::from_slice(&reply.body);
        parsed.map(Some).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let json = reply.headers.get("content-type").is_none_or(|kind| is_json(kind.as_bytes()));
            nonsense(
                self.dialect,
                &match error.classify() {
                    Category::Data => format!("JSON that has not the expected fields ({place})"),
                    _ if !json => "something that is not JSON".to_owned(),
                    _ => format!("broken JSON ({place})"),
                },
            )
        })
    }

    async fn repeatedly<T>(
        &self,
        call: &Call,
        read: impl Fn(Reply) -> Result<T, UpstreamError>,
    ) -> Result<T, UpstreamError> {
        let tries = AtomicUsize::new(0);
        let once = || async {
            let number = tries.fetch_add(1, Ordering::Relaxed) + 1;
            let outcome = match self.once(call, number).await {
                Ok(reply) => read(reply),
                Err(error) => Err(error),
            };
            outcome.map_err(|error| self.judged(call, error))
        };
        once.retry(self.retry.backoff())
            .when(|failed| failed.again)
            .adjust(|failed, wait| wait.map(|wait| wait.max(failed.error.retry_after.unwrap_or_default())))
            .notify(|failed, wait| {
                tracing::info!(service = self.dialect.service.name(), ?wait, failure = %failed.error, "call is repeated");
            })
            .await
            .map_err(|failed| if self.is_awaited() { failed.error.told_to_a_person() } else { failed.error })
    }

    fn is_awaited(&self) -> bool {
        self.turn_patience.is_some()
    }

    /// Whether another try makes sense now. Where the circuit has opened none does, and the caller learns until when.
    fn judged(&self, call: &Call, mut error: UpstreamError) -> Failed {
        let left_alone = self.lane.breaker.open_for(Instant::now());
        if error.class == FailureClass::Transient {
            error.retry_after = error.retry_after.max(left_alone);
        }
        Failed { again: left_alone.is_none() && self.may_repeat(call, &error), error }
    }

    fn may_repeat(&self, call: &Call, error: &UpstreamError) -> bool {
        let harmless = call.repeat == Repeat::Always || error.delivery == Delivery::NotDelivered;
        let soon = error.retry_after.is_none_or(|wait| wait <= self.retry.longest_wait);
        error.class == FailureClass::Transient && harmless && soon && !error.was_turned_away
    }

    /// One try, once it is the call's turn and the circuit lets it through.
    async fn once(&self, call: &Call, number: usize) -> Result<Reply, UpstreamError> {
        let refused = |refused| self.dialect.left_alone(refused);
        self.lane.breaker.is_open(Instant::now()).map_or(Ok(()), Err).map_err(refused)?;
        let turn = self.http.lanes.places(&self.lane, self.turns.as_deref());
        let _places = match self.turn_patience {
            None => turn.await,
            Some(patience) => tokio::time::timeout(patience, turn).await.map_err(|_| self.dialect.no_turn(patience))?,
        };
        let pass = self.lane.breaker.admit(Instant::now()).map_err(refused)?;
        let started = Instant::now();
        let (status, outcome) = self.ask(call).await;
        let secrets = std::slice::from_ref(&self.secret);
        let (tenant_id, service, elapsed) = (self.tenant_id, self.dialect.service, started.elapsed());
        Tried { tenant_id, service, call, number, status, elapsed, failure: outcome.as_ref().err() }.log(secrets);
        pass.learn(sign(status, &outcome), Instant::now());
        outcome
    }

    /// Makes the call. The status is there as soon as the answer began.
    async fn ask(&self, call: &Call) -> (Option<StatusCode>, Result<Reply, UpstreamError>) {
        let timeout = call.timeout.unwrap_or(self.call_timeout);
        let response = match self.request(call, timeout).send().await {
            Ok(response) => response,
            Err(error) => return (None, Err(self.dialect.request_failed(&self.host, timeout, &error.without_url()))),
        };
        let status = response.status();
        if !status.is_success() && !call.accepted.contains(&status) {
            return (Some(status), Err(self.refused(response).await));
        }
        if status.is_success() && is_web_page(response.headers()) {
            return (Some(status), Err(nonsense(self.dialect, "something that is not JSON")));
        }
        let headers = response.headers().clone();
        let body = body::read(response, &self.http.options).await.map_err(|error| match error {
            BodyError::TooLarge => self.too_large(),
            BodyError::Cut(error) => self.dialect.answer_cut(timeout, &error),
        });
        (Some(status), body.map(|body| Reply { status, headers, body }))
    }

    fn request(&self, call: &Call, timeout: Duration) -> RequestBuilder {
        let client = match self.passage {
            Passage::Guarded => &self.http.guarded,
            Passage::Opened => &self.http.opened,
        };
        let prefix = self.path_prefix.as_ref().map(ExposeSecret::expose_secret);
        let mut request = client
            .request(call.method.clone(), call.address(&self.base, prefix))
            .headers(self.headers.clone())
            .timeout(timeout);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        match &call.body {
            Body::Json(body) => request.header(CONTENT_TYPE, "application/json").body(body.expose_secret().to_owned()),
            Body::Form(form) => request.header(CONTENT_TYPE, form.media_type()).body(form.body.clone()),
            Body::None => request,
        }
    }

    /// The failure that an answer stands for whose status the call takes for an answer.
    pub(crate) fn refusal(&self, reply: &Reply) -> UpstreamError {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        self.dialect.refused(&self.refusal_of(reply.status, retry_after(&reply.headers), body))
    }

    fn refusal_of(&self, status: StatusCode, retry_after: Option<Duration>, body: Value) -> Refusal {
        let secrets = std::slice::from_ref(&self.secret);
        let words = scrub::provider_words(&body).map(|words| scrub::quotation(&words, secrets)).unwrap_or_default();
        Refusal { status, retry_after, body, words }
    }

    async fn refused(&self, response: Response) -> UpstreamError {
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED {
            self.unauthorized.store(true, Ordering::Relaxed);
        }
        let retry_after = retry_after(response.headers());
        let body: Value = serde_json::from_slice(&body::read_refusal(response).await).unwrap_or_default();
        let error = self.dialect.refused(&self.refusal_of(status, retry_after, body));
        if let (StatusCode::TOO_MANY_REQUESTS, Some(turns), Some(wait)) = (status, &self.turns, error.retry_after) {
            turns.pause(wait.min(self.http.options.retry.longest_wait)).await;
        }
        error
    }

    fn too_large(&self) -> UpstreamError {
        let megabytes = self.http.options.response_limit / (1024 * 1024);
        let message = format!("The answer of {} is larger than {megabytes} MB", self.dialect.name);
        let advice = "Choose a shorter period; if it is one day already, tell Synkro's support";
        self.dialect.error(Verdict::permanent(message, advice), Delivery::Unknown)
    }
}

fn host_of(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default();
    base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_json(content_type: &[u8]) -> bool {
    content_type.to_ascii_lowercase().windows(4).any(|part| part == b"json")
}

/// No service answers in HTML: that is a gateway's page for people, and whatever its status, nothing was carried out. A write
/// that reads no body would take it for a success.
fn is_web_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with(b"text/html")
}

/// What a try says of the service. A refusal shows that it works, and a failure before anything was sent shows nothing.
fn sign(status: Option<StatusCode>, outcome: &Result<Reply, UpstreamError>) -> Sign {
    let Err(error) = outcome else { return Sign::Works };
    let transient = error.class == FailureClass::Transient;
    match status {
        None if !transient => Sign::Nothing,
        Some(StatusCode::TOO_MANY_REQUESTS) => Sign::Nothing,
        Some(status) if !transient || is_refusal(status) => Sign::Works,
        _ => Sign::Outage(error.message.clone()),
    }
}

fn is_refusal(status: StatusCode) -> bool {
    status.is_redirection() || (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_with_their_port() {
        assert_eq!(host_of(&Url::parse("http://127.0.0.1:8080/v2").unwrap()), "127.0.0.1:8080");
        assert_eq!(host_of(&Url::parse("https://api.example").unwrap()), "api.example");
    }
}
