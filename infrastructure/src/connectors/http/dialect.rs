//! How a service speaks of failures, and the texts that a tenant's user gets to read.

use std::time::Duration;

use application::ports::services::{AGAIN, Delivery, Tokens, UpstreamError};
use domain::integration::IntegrationKind;
use domain::job_run::FailureClass;
use reqwest::StatusCode;
use serde_json::Value;

/// When it is tried again.
pub(super) fn again(wait: Option<Duration>) -> String {
    wait.map_or_else(|| AGAIN.to_owned(), |wait| format!("{AGAIN} in {} s", wait.as_secs_f64().ceil()))
}

/// What the common part of all connectors must know about one service.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Which integration it serves.
    pub(crate) service: IntegrationKind,
    /// The provider's name at the beginning of a sentence.
    pub(crate) title: &'static str,
    /// The same within a sentence.
    pub(crate) name: &'static str,
    /// What its key is called, with its article.
    pub(crate) credential: &'static str,
    /// What to do when the key is not accepted.
    pub(crate) renew: &'static str,
    /// Refusals that mean something else than their status says in general.
    pub(crate) refine: fn(&Refusal) -> Option<Verdict>,
}

/// An answer that refuses the call.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The `Retry-After` header.
    pub(crate) retry_after: Option<Duration>,
    /// The body, where it is JSON.
    pub(crate) body: Value,
    /// The provider's own words, fit to be shown; empty where there are none.
    pub(crate) words: String,
}

/// What a refusal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) class: FailureClass,
    pub(crate) message: String,
    pub(crate) advice: String,
    pub(crate) retry_after: Option<Duration>,
    /// What a model read and wrote all the same.
    pub(crate) tokens: Option<Tokens>,
}

impl Verdict {
    /// A verdict with no word on when to come back.
    pub(crate) fn new(class: FailureClass, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { class, message: message.into(), advice: advice.into(), retry_after: None, tokens: None }
    }

    /// Fails the same way every time.
    pub(crate) fn permanent(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(FailureClass::Permanent, message, advice)
    }

    /// What a model read and wrote before it came to this.
    pub(crate) fn having_used(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// When the service wants to be asked again.
    pub(crate) fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

/// The verdict on an answer that the call cannot use although the service took it for a success.
pub(crate) fn nonsense(dialect: &Dialect, what: &str) -> UpstreamError {
    let message = format!("{} answered with {what}", dialect.title);
    let advice = format!("Check the address in {}; if it is right, tell Synkro's support", dialect.settings_page());
    dialect.error(Verdict::permanent(message, advice), Delivery::Unknown)
}

impl Dialect {
    /// A failure in the shape that the port hands out.
    pub(crate) fn error(&self, verdict: Verdict, delivery: Delivery) -> UpstreamError {
        UpstreamError {
            service: self.service,
            class: verdict.class,
            message: verdict.message,
            advice: verdict.advice,
            retry_after: verdict.retry_after,
            delivery,
            tokens: verdict.tokens,
            was_turned_away: false,
        }
    }

    /// A key that is missing or cannot be one; found before anything was sent.
    pub(crate) fn bad_credential(&self, what: &str) -> UpstreamError {
        let verdict = Verdict::new(FailureClass::Auth, format!("{} cannot be called: {what}", self.title), self.renew);
        self.error(verdict, Delivery::NotDelivered)
    }

    /// Where the tenant's user changes this integration.
    pub(crate) fn settings_page(&self) -> String {
        format!("Settings → {}", self.service.title())
    }

    /// What a refusing answer means.
    pub(super) fn refused(&self, refusal: &Refusal) -> UpstreamError {
        let verdict = (self.refine)(refusal).unwrap_or_else(|| self.by_status(refusal));
        self.error(verdict, delivery_of(refusal.status))
    }

    fn by_status(&self, refusal: &Refusal) -> Verdict {
        let (title, name, status) = (self.title, self.name, refusal.status.as_u16());
        let said = if refusal.words.is_empty() { String::new() } else { format!(": {}", refusal.words) };
        match status {
            300..=399 => Verdict::permanent(
                format!("{title} answered with a redirect (HTTP {status}), which Synkro does not follow"),
                format!("Enter the address that it redirects to in {}", self.settings_page()),
            ),
            401 => Verdict::new(FailureClass::Auth, format!("{title} did not accept {}", self.credential), self.renew),
            402 => Verdict::permanent(
                format!("{title} says that the account is not paid"),
                format!("Pay for the account at {name}, then start the run again"),
            ),
            403 => Verdict::new(
                FailureClass::Auth,
                format!("{title} does not let {} do this{said}", self.credential),
                format!("Give it the missing rights at {name}, or save another one in {}", self.settings_page()),
            ),
            404 => Verdict::permanent(
                format!("{title} has nothing at this address (HTTP 404){said}"),
                format!("Check the address and the names in {}", self.settings_page()),
            ),
            408 => self.outage(format!("{title} gave up waiting for the request (HTTP 408)")),
            429 => Verdict::new(
                FailureClass::Transient,
                format!("{title} refuses further calls for now: too many requests"),
                format!("{}; if it happens often, check what else uses this account", again(refusal.retry_after)),
            ),
            500..=599 => self.outage(format!("{title} has a failure of its own (HTTP {status})")),
            _ => Verdict::permanent(
                format!("{title} refused the request (HTTP {status}){said}"),
                format!("Check {}; if it is right, tell Synkro's support", self.settings_page()),
            ),
        }
        .after(refusal.retry_after)
    }

    fn outage(&self, message: String) -> Verdict {
        let advice = format!("{AGAIN}; if it lasts, look at the status page of {}", self.name);
        Verdict::new(FailureClass::Transient, message, advice)
    }

    /// Nothing came back, or not all of it.
    pub(super) fn unreachable(&self, message: String, delivery: Delivery) -> UpstreamError {
        let page = self.settings_page();
        let advice = format!("{AGAIN}; if it lasts, check the address in {page} and whether the service is up");
        self.error(Verdict::new(FailureClass::Transient, message, advice), delivery)
    }
}

/// A refusal has no effect. A server that broke down, or an answer that cannot be used, says nothing about that.
fn delivery_of(status: StatusCode) -> Delivery {
    match status.as_u16() {
        300..=407 | 409..=499 => Delivery::NotDelivered,
        _ => Delivery::Unknown,
    }
}
