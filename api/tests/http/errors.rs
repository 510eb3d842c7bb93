use poem::Body;
use poem::http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Answer, Api, Memory, OWNER, READER, request};

async fn sent(api: &Api, content_type: &str, body: Body) -> Answer {
    let login = request(Method::POST, "/api/v1/public/users/login", "").content_type(content_type).body(body);
    api.send(login).await
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem() {
    let api = Api::new();
    for body in ["", "{", "[]", "\"text\"", "{\"email\":\"a@b.c\",}"] {
        assert_eq!(sent(&api, "application/json", body.into()).await.problem(400), "body.malformed", "{body}");
    }
    let form = sent(&api, "application/x-www-form-urlencoded", "email=a".into()).await;
    assert_eq!(form.problem(415), "body.unsupported");
}

#[tokio::test]
async fn a_body_over_a_megabyte_is_refused_with_and_without_a_promised_length() {
    let api = Api::new();
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(sent(&api, "application/json", large.clone().into()).await.problem(413), "body.too_large");
    let promised = request(Method::POST, "/api/v1/public/users/login", "")
        .header("content-length", large.len().to_string())
        .body("{}");
    assert_eq!(api.send(promised).await.problem(413), "body.too_large");
    let fitting = format!("{{\"email\":\"{}\"}}", "x".repeat(1024 * 1024 - 12));
    assert_eq!(fitting.len(), 1024 * 1024);
    assert_eq!(sent(&api, "application/json", fitting.into()).await.bad_fields(), ["password"]);
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let api = Api::new();
    for path in ["/", "/nowhere", "/api/v1", "/api/v1/runs/", "/api/v2/runs"] {
        assert_eq!(api.get(path, "").await.problem(404), "route.not_found", "{path}");
    }
    let deleted = api.send(request(Method::DELETE, "/api/v1/runs", OWNER).finish()).await;
    assert_eq!(deleted.problem(405), "route.method_not_allowed");
    assert_eq!(deleted.header("allow"), Some("GET, HEAD, POST"));
    for (path, methods) in [("/api/v1/runs/1/cancel", "POST"), ("/api/v1/public/docs", "GET, HEAD")] {
        let put = api.send(request(Method::PUT, path, OWNER).finish()).await;
        assert_eq!(put.problem(405), "route.method_not_allowed", "{path}");
        assert_eq!(put.header("allow"), Some(methods), "{path}");
    }
}

#[tokio::test]
async fn a_defect_shows_nothing_of_its_cause() {
    let api = Api::new();
    Memory::set(&api.memory.broken);
    Memory::set(&api.memory.panicking);
    for path in ["/api/v1/runs", "/api/v1/reports"] {
        let answer = api.get(path, READER).await;
        assert_eq!(answer.problem(500), "system.internal", "{path}");
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    }
}

#[tokio::test]
async fn every_answer_has_an_id_and_security_headers() {
    let api = Api::new();
    for path in ["/health", "/nowhere", "/api/v1/runs", "/api/v1/public/docs", "/api/v1/public/openapi.json"] {
        let answer = api.get(path, OWNER).await;
        assert!(answer.header("x-request-id").is_some_and(|id| Uuid::try_parse(id).is_ok()), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn only_a_uuid_is_taken_over_as_the_requests_id() {
    let api = Api::new();
    let given = Uuid::from_u128(5).to_string();
    for (id, taken_over) in [(given.as_str(), true), ("5", false), ("\"><script>", false)] {
        let answer = api.send(request(Method::GET, "/nowhere", "").header("x-request-id", id).finish()).await;
        assert_eq!(answer.header("x-request-id") == Some(id), taken_over, "{id}");
        assert_eq!(answer.json()["request_id"], json!(answer.header("x-request-id")));
    }
}

#[tokio::test]
async fn the_documentation_runs_no_inline_script() {
    let api = Api::new();
    let page = api.get("/api/v1/public/docs", "").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let scripts: Vec<&str> = page.text.split("<script").skip(1).collect();
    assert!(!scripts.is_empty() && scripts.iter().all(|script| script.contains("defer></script>")), "{}", page.text);
    for (file, words) in [("swagger-ui.js", "SwaggerUIBundle"), ("swagger-ui.css", ".swagger-ui"), ("start.js", "#ui")]
    {
        let answer = api.get(&format!("/api/v1/public/docs/{file}"), "").await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.text.contains(words), "{file}");
    }
    assert_eq!(api.get("/api/v1/public/openapi.json", "").await.text, api::openapi_json());
}
