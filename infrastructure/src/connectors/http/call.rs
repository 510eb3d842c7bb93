//! One call to a service and what it answered.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use super::form::{Form, Part};

/// A call, as a connector describes it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
    pub(super) accepted: Vec<StatusCode>,
    pub(super) repeat: Repeat,
    pub(super) timeout: Option<Duration>,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(super) enum Body {
    None,
    /// It may hold a secret, as an exchange of tokens does.
    Json(SecretString),
    Form(Form),
}

/// When a failed call may be made again within the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Repeating it changes nothing.
    Always,
    /// Only when it certainly had no effect.
    WhenNotDelivered,
}

impl Call {
    /// Reads something. The path is given in segments, below the account's base address.
    pub(crate) fn get<S: Into<String>>(path: impl IntoIterator<Item = S>) -> Self {
        Self::new(Method::GET, path, Body::None)
    }

    /// Sends JSON.
    pub(crate) fn post<S: Into<String>>(path: impl IntoIterator<Item = S>, body: &Value) -> Self {
        Self::post_json(path, body.to_string())
    }

    /// Sends JSON that is written already.
    pub(crate) fn post_json<S: Into<String>>(path: impl IntoIterator<Item = S>, body: String) -> Self {
        Self::new(Method::POST, path, Body::Json(body.into()))
    }

    /// Sends a form, which may have files in it. None of it is logged.
    pub(crate) fn post_form<S: Into<String>>(path: impl IntoIterator<Item = S>, parts: &[Part<'_>]) -> Self {
        Self::new(Method::POST, path, Body::Form(Form::of(parts)))
    }

    fn new<S: Into<String>>(method: Method, path: impl IntoIterator<Item = S>, body: Body) -> Self {
        Self {
            method,
            segments: path.into_iter().map(Into::into).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body,
            accepted: Vec::new(),
            repeat: Repeat::Always,
            timeout: None,
        }
    }

    /// Adds a query parameter.
    pub(crate) fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a header that holds no secret.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Takes this status for an answer instead of a failure.
    pub(crate) fn accept(mut self, status: StatusCode) -> Self {
        self.accepted.push(status);
        self
    }

    /// The call has an effect that a repetition would double.
    pub(crate) fn has_effect(mut self) -> Self {
        self.repeat = Repeat::WhenNotDelivered;
        self
    }

    /// Allows more or less time than other calls have.
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The path as logs may show it: without the query, and without the part that the account adds.
    pub(super) fn path_for_logs(&self) -> String {
        self.segments.join("/")
    }

    /// The full address. `prefix` is a first path segment that belongs to the account and may be secret.
    pub(super) fn address(&self, base: &Url, prefix: Option<&str>) -> Url {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(prefix).extend(&self.segments);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

/// A complete answer with a status that the call takes for success.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it came.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_path_goes_below_the_base_and_is_encoded() {
        let call = Call::get(["companies", "7", ""]).query("until", "2026-11-20T08:15:30.123+00:00");
        let address = call.address(&base("https://api.example/v2"), None);
        assert_eq!(address.as_str(), "https://api.example/v2/companies/7/?until=2026-11-20T08%3A15%3A30.123%2B00%3A00");
        let odd = Call::get(["models", "a/b?c:generateContent"]).address(&base("https://api.example"), None);
        assert_eq!(odd.as_str(), "https://api.example/models/a%2Fb%3Fc:generateContent");
    }

    #[test]
    fn filters_are_encoded_as_the_amocrm_sheet_says() {
        let call = Call::get(["api", "v4", "leads"])
            .query("filter[updated_at][from]", "1763600000")
            .query("filter[updated_at][to]", "1763643600");
        let address = call.address(&base("https://demo.amocrm.ru"), None);
        let expected = "filter%5Bupdated_at%5D%5Bfrom%5D=1763600000&filter%5Bupdated_at%5D%5Bto%5D=1763643600";
        assert_eq!(address.query(), Some(expected));
    }

    #[test]
    fn a_secret_prefix_is_in_the_address_only() {
        let call = Call::get(["getMe"]);
        assert_eq!(call.address(&base("https://t.example"), Some("bot1:a")).path(), "/bot1:a/getMe");
        assert_eq!(call.path_for_logs(), "getMe");
    }
}
