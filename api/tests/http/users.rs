use poem::http::Method;
use serde_json::json;

use crate::support::{Api, Memory, OWNER, PASSWORD, READER, request};

const LOGIN: &str = "/api/v1/public/users/login";

#[tokio::test]
async fn the_right_password_gives_a_token_that_is_accepted() {
    let api = Api::new();
    let answer = api.post(LOGIN, "", &json!({"email": "Owner@Acme.example", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["user"]["role"]), (&json!("Bearer"), &json!("owner")));
    assert_eq!(body["expires_at"], "2026-06-02T08:10:00+00:00");
    let token = format!("Bearer {}", body["access_token"].as_str().unwrap());
    let me = request(Method::GET, "/api/v1/users/me", "").header("authorization", token).finish();
    let me = api.send(me).await;
    assert_eq!((me.status, me.json()), (200, body["user"].clone()));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_alike() {
    let api = Api::new();
    let mut answers = Vec::new();
    for (email, password) in [(OWNER, "wrong"), ("nobody@acme.example", PASSWORD), ("no address", PASSWORD)] {
        let answer = api.post(LOGIN, "", &json!({"email": email, "password": password})).await;
        assert_eq!(answer.problem(401), "sign_in.refused");
        let mut body = answer.json();
        body["request_id"].take();
        answers.push(body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn both_missing_fields_are_named() {
    let api = Api::new();
    assert_eq!(api.post(LOGIN, "", &json!({})).await.bad_fields(), ["email", "password"]);
    assert_eq!(api.post(LOGIN, "", &json!({"email": " ", "password": 7})).await.bad_fields(), ["email", "password"]);
}

#[tokio::test]
async fn a_missing_and_a_tampered_token_are_refused_everywhere() {
    let api = Api::new();
    for path in ["/api/v1/users/me", "/api/v1/runs", "/api/v1/runs/not-an-id", "/api/v1/reports"] {
        let missing = api.get(path, "").await;
        assert_eq!(missing.problem(401), "token.missing", "{path}");
        assert_eq!(missing.header("www-authenticate"), Some(r#"Bearer realm="synkro""#));
        let tampered = api.get(path, "nobody@acme.example").await;
        assert_eq!(tampered.problem(401), "token.refused", "{path}");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_is_named() {
    let api = Api::new();
    let answer = api.post("/api/v1/runs", READER, &json!({"from": "2026-06-01", "to": "2026-06-01"})).await;
    assert_eq!(answer.problem(403), "access.forbidden");
    assert!(answer.text.contains("runs:start"), "{}", answer.text);
}

const ME: &str = "/api/v1/users/me";

#[tokio::test]
async fn pages_get_cookies_and_nothing_that_a_script_could_keep() {
    let api = Api::new();
    let login = json!({"email": OWNER, "password": PASSWORD, "cookies": true});
    let answer = api.post(LOGIN, "", &login).await;
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 3, "{cookies:?}");
    for cookie in &cookies {
        assert!(cookie.starts_with("__Host-synkro-"), "{cookie}");
        for part in ["; Path=/;", "; Secure;", "; SameSite=Strict"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("HttpOnly"), !cookie.starts_with("__Host-synkro-csrf="), "{cookie}");
    }
    let body = answer.json();
    assert_eq!((&body["access_token"], &body["refresh_token"]), (&json!(null), &json!(null)));
    assert_eq!(body["csrf_token"], "csrf");
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let api = Api::new();
    let cookie = format!("theme=dark; __Host-synkro-access=token-of-{OWNER}");
    let send = async |method, path: &str, csrf: Option<&str>| {
        let request = request(method, path, "").header("cookie", &cookie);
        let request = if let Some(csrf) = csrf { request.header("x-csrf-token", csrf) } else { request };
        api.send(request.finish()).await
    };
    assert_eq!(send(Method::GET, ME, None).await.status, 200);
    let logout = "/api/v1/users/logout";
    for csrf in [None, Some("wrong"), Some("")] {
        assert_eq!(send(Method::POST, logout, csrf).await.problem(403), "csrf.missing", "{csrf:?}");
    }
    let answer = send(Method::POST, logout, Some("csrf")).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 3, "the cookies are taken away");
}

#[tokio::test]
async fn a_refused_header_is_not_mended_by_a_cookie() {
    let api = Api::new();
    let request = request(Method::GET, ME, "nobody@acme.example");
    let request = request.header("cookie", format!("__Host-synkro-access=token-of-{OWNER}")).finish();
    assert_eq!(api.send(request).await.problem(401), "token.refused");
}

#[tokio::test]
async fn a_process_that_cannot_see_revocations_lets_nobody_in() {
    let api = Api::new();
    Memory::set(&api.memory.blind);
    let answer = api.get(ME, OWNER).await;
    assert_eq!((answer.problem(503).as_str(), answer.header("retry-after")), ("system.unavailable", Some("1")));
}

#[tokio::test]
async fn who_is_locked_out_is_told_how_long() {
    let api = Api::new();
    Memory::set(&api.memory.locked);
    let answer = api.post(LOGIN, "", &json!({"email": OWNER, "password": PASSWORD})).await;
    assert_eq!((answer.problem(429).as_str(), answer.header("retry-after")), ("sign_in.locked", Some("60")));
    assert!(answer.text.contains("60 seconds"), "{}", answer.text);
}

#[tokio::test]
async fn the_published_keys_may_be_kept_for_a_minute() {
    let answer = Api::new().get("/.well-known/jwks.json", "").await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    let key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1", "n": "0vx7", "e": "AQAB"});
    assert_eq!(answer.json(), json!({"keys": [key]}));
}

#[tokio::test]
async fn a_refresh_without_a_token_names_the_field() {
    let api = Api::new();
    let path = "/api/v1/public/users/refresh";
    assert_eq!(api.post(path, "", &json!({})).await.bad_fields(), ["refresh_token"]);
    assert_eq!(api.post(path, "", &json!({"refresh_token": "unknown"})).await.problem(401), "refresh.refused");
}

#[tokio::test]
async fn a_new_password_must_follow_the_rules() {
    let api = Api::new();
    let change = async |old: &str, new: &str| {
        api.post("/api/v1/users/me/password", OWNER, &json!({"old_password": old, "new_password": new})).await
    };
    assert_eq!(change(PASSWORD, "short").await.bad_fields(), ["new_password"]);
    assert_eq!(change(PASSWORD, "password1234").await.bad_fields(), ["new_password"]);
    assert_eq!(change(PASSWORD, OWNER).await.bad_fields(), ["new_password"]);
    assert_eq!(change("wrong", "a quite different one").await.bad_fields(), ["old_password"]);
    assert_eq!(change(PASSWORD, "a quite different one").await.status, 204);
}
