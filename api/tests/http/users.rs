use poem::http::Method;
use serde_json::json;

use crate::support::{Api, OWNER, PASSWORD, READER, request};

const LOGIN: &str = "/api/v1/public/users/login";

#[tokio::test]
async fn the_right_password_gives_a_token_that_is_accepted() {
    let api = Api::new();
    let answer = api.post(LOGIN, "", &json!({"email": "Owner@Acme.example", "password": PASSWORD})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["user"]["role"]), (&json!("Bearer"), &json!("owner")));
    assert_eq!(body["expires_at"], "2026-06-02T08:15:00+00:00");
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
