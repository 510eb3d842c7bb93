//! Programs that ask with an API key.

use poem::http::Method;
use serde_json::json;

use crate::support::{Api, KEY, Memory, OWNER, request};

const RUNS: &str = "/api/v1/runs";

#[tokio::test]
async fn a_key_is_taken_in_both_headers_and_has_its_own_rights() {
    let api = Api::new();
    let as_bearer = |method, path| request(method, path, "").header("authorization", format!("Bearer {KEY}"));
    let in_header = |method, path| request(method, path, "").header("x-api-key", KEY);
    for ask in [as_bearer(Method::GET, RUNS), in_header(Method::GET, RUNS)] {
        assert_eq!(api.send(ask.finish()).await.status, 200);
    }
    let days = json!({"from": "2026-06-01", "to": "2026-06-01"}).to_string();
    let start = in_header(Method::POST, RUNS).content_type("application/json").body(days);
    let refused = api.send(start).await;
    assert_eq!(refused.problem(403), "access.forbidden");
    assert!(refused.text.contains("runs:start"), "{}", refused.text);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_refused_and_not_mended_by_a_cookie() {
    let api = Api::new();
    for ask in [
        request(Method::GET, RUNS, "").header("x-api-key", "syn_unknown"),
        request(Method::GET, RUNS, "").header("x-api-key", format!("token-of-{OWNER}")),
        request(Method::GET, RUNS, "").header("authorization", "Bearer syn_unknown").header("x-api-key", KEY),
        request(Method::GET, RUNS, "")
            .header("x-api-key", "syn_unknown")
            .header("cookie", format!("__Host-synkro-access=token-of-{OWNER}")),
    ] {
        assert_eq!(api.send(ask.finish()).await.problem(401), "api_key.refused");
    }
    Memory::set(&api.memory.down);
    let ask = request(Method::GET, RUNS, "").header("x-api-key", KEY).finish();
    assert_eq!(api.send(ask).await.problem(503), "system.unavailable");
}

#[tokio::test]
async fn what_takes_a_person_is_refused() {
    let api = Api::new();
    for (method, path) in [
        (Method::GET, "/api/v1/users/me"),
        (Method::GET, "/api/v1/users/me/sessions"),
        (Method::POST, "/api/v1/users/logout"),
    ] {
        let ask = request(method, path, "").header("x-api-key", KEY).content_type("application/json").body("{}");
        assert_eq!(api.send(ask).await.problem(403), "access.forbidden", "{path}");
    }
    let password =
        json!({"old_password": "correct horse battery", "new_password": "a quite different one"}).to_string();
    let ask = request(Method::POST, "/api/v1/users/me/password", "").header("x-api-key", KEY);
    assert_eq!(api.send(ask.content_type("application/json").body(password)).await.problem(403), "access.forbidden");
}

#[tokio::test]
async fn every_bad_field_of_a_new_key_is_named() {
    let api = Api::new();
    let bad = json!({"name": " ", "scopes": ["runs:read", "Runs"], "expires_at": "tomorrow"});
    assert_eq!(api.post("/api/v1/api-keys", OWNER, &bad).await.bad_fields(), ["name", "scopes[1]", "expires_at"]);
    let late = json!({"name": "Export", "scopes": [], "expires_at": "2028-01-01T00:00:00Z"});
    assert_eq!(api.post("/api/v1/api-keys", OWNER, &late).await.bad_fields(), ["scopes", "expires_at"]);
    let unknown = json!({"name": "Export", "scopes": ["boats:sail"], "expires_at": "2026-07-01T00:00:00Z"});
    assert_eq!(api.post("/api/v1/api-keys", OWNER, &unknown).await.bad_fields(), ["scopes"]);
}
