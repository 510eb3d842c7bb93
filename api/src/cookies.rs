//! The cookies of pages that are signed in. `__Host-` has browsers refuse them without `Secure` and `Path=/`, and from other
//! hosts (RFC 6265bis §4.1.3.2); `Strict` keeps them away from requests that other sites cause.

use application::use_cases::{BegunAuthorization, SessionTokens};
use chrono::{DateTime, Utc};
use poem::Request;
use poem::http::header::COOKIE;
use secrecy::{ExposeSecret, SecretString};

/// Holds the access token.
pub(crate) const ACCESS_COOKIE: &str = "__Host-synkro-access";

/// Holds the refresh token.
pub(crate) const REFRESH_COOKIE: &str = "__Host-synkro-refresh";

/// Holds the CSRF token; scripts of the page read it.
pub(crate) const CSRF_COOKIE: &str = "__Host-synkro-csrf";

/// Tells the browser of a session when a service sends it back. `Lax`: the service's page leads here, and `Strict` would keep
/// it away. It proves nothing by itself.
pub(crate) const OAUTH_COOKIE: &str = "__Host-synkro-oauth";

/// The value of a cookie of the request.
pub(crate) fn cookie(request: &Request, name: &str) -> Option<String> {
    let lines = request.headers().get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
}

/// The headers `Set-Cookie` that give a page the tokens of its session.
pub(crate) fn set(tokens: &SessionTokens) -> Vec<String> {
    let line = |name: &str, value: &SecretString, until: DateTime<Utc>, http_only: &str| {
        let seconds = (until - tokens.issued_at).num_seconds().max(0);
        format!("{name}={}; Path=/; Max-Age={seconds}; Secure; {http_only}SameSite=Strict", value.expose_secret())
    };
    let mut lines = vec![
        line(ACCESS_COOKIE, &tokens.access.token, tokens.access.expires_at, "HttpOnly; "),
        line(REFRESH_COOKIE, &tokens.refresh.token, tokens.refresh.expires_at, "HttpOnly; "),
    ];
    lines.extend(tokens.csrf.as_ref().map(|csrf| line(CSRF_COOKIE, csrf, tokens.refresh.expires_at, "")));
    lines
}

/// The header `Set-Cookie` that gives a browser what it is told by until an authorization is over.
pub(crate) fn set_oauth(begun: &BegunAuthorization) -> String {
    let seconds = (begun.expires_at - begun.now).num_seconds().max(0);
    let value = begun.browser.expose_secret();
    format!("{OAUTH_COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// The headers `Set-Cookie` that take them away.
pub(crate) fn clear() -> Vec<String> {
    let line = |name: &str| format!("{name}=; Path=/; Max-Age=0; Secure; SameSite=Strict");
    [ACCESS_COOKIE, REFRESH_COOKIE, CSRF_COOKIE].into_iter().map(line).collect()
}
