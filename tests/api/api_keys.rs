//! Keys of a company's programs over HTTP: what they may, and when they are over.

use std::time::{Duration, Instant};

use application::ports::clock::Clock;
use chrono::TimeDelta;
use infrastructure::system::SystemClock;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const KEYS: &str = "/api/v1/api-keys";
const RUNS: &str = "/api/v1/runs";

/// How long a revocation may take to reach another process.
const SOON: Duration = Duration::from_secs(1);

fn new(scopes: &[&str], life: TimeDelta) -> Value {
    json!({"name": "Export", "scopes": scopes, "expires_at": SystemClock.now() + life})
}

/// The id and a program that has the key.
async fn program(owner: &Actor, scopes: &[&str], life: TimeDelta) -> (String, Actor) {
    let created = owner.post(KEYS, &new(scopes, life)).await.expect(201);
    (created["id"].as_str().unwrap().to_owned(), owner.with_token(created["key"].as_str().unwrap()))
}

async fn refused_soon(program: &Actor) {
    let began = Instant::now();
    while program.get(RUNS).await.status != 401 {
        assert!(began.elapsed() < SOON, "the key is still accepted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    program.get(RUNS).await.problem(401, "api_key.refused");
}

/// Seen to fail: with requests answered before the other process had read rights and revocations for the first time.
#[tokio::test]
async fn a_key_works_in_every_process_until_it_is_revoked_or_out_of_time() {
    let (app, _, owner) = TestApp::start().await;
    let other = app.another_process().await;
    let (id, here) = program(&owner, &["runs:read"], TimeDelta::days(1)).await;
    let there = other.with_token(here.token());
    app.secrets.add(here.token());
    here.get(RUNS).await.expect(200);
    there.get(RUNS).await.expect(200);
    let header = other.request(Method::GET, RUNS).header("x-api-key", here.token());
    other.send(header).await.expect(200);
    let revoke = format!("{KEYS}/{id}/revoke");
    app.other_tenant().await.post(&revoke, &json!({})).await.problem(404, "api_key.not_found");
    for _ in 0..2 {
        assert_eq!(owner.post(&revoke, &json!({})).await.status, 204);
    }
    refused_soon(&there).await;
    refused_soon(&here).await;
    let listed = owner.get(KEYS).await.expect(200);
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["status"]), (&json!(id), &json!("revoked")));
    let (_, short) = program(&owner, &["runs:read"], TimeDelta::milliseconds(1_500)).await;
    let there = other.with_token(short.token());
    there.get(RUNS).await.expect(200);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    there.get(RUNS).await.problem(401, "api_key.refused");
    app.assert_log_keeps_secrets().await;
}

#[tokio::test]
async fn a_key_may_what_its_scopes_say_and_what_it_does_is_recorded_as_its_own() {
    let (app, _, owner) = TestApp::start().await;
    let (id, program) = program(&owner, &["runs:*", "api_keys:*", "users:*"], TimeDelta::days(1)).await;
    let run = program.start_run(app.days()).await;
    program.get(&format!("{RUNS}/{run}")).await.expect(200);
    program.get("/api/v1/reports").await.problem(403, "access.forbidden");
    let events = app.events().await;
    let started = events.iter().find(|event| event.event_type == "RunStarted").unwrap();
    let metadata = &started.metadata;
    assert_eq!((&metadata["actor_kind"], &metadata["actor_id"]), (&json!("integration"), &json!(id)));
    let listed = program.get(KEYS).await.expect(200);
    assert!(listed["items"][0]["last_used_at"].is_string(), "{listed:#}");
    for path in ["/api/v1/users/me", "/api/v1/users/me/sessions"] {
        program.get(path).await.problem(403, "access.forbidden");
    }
    program.post(KEYS, &new(&["runs:read"], TimeDelta::days(1))).await.problem(403, "access.person_needed");
    program.post(&format!("{KEYS}/{id}/revoke"), &json!({})).await.problem(403, "access.person_needed");
    let invited = json!({"email": "eve@acme.example", "role": "owner"});
    program.post("/api/v1/users/invitations", &invited).await.problem(403, "access.person_needed");
}

/// Seen to fail with an answer that insists on showing the run: what had been recorded was answered with 403.
#[tokio::test]
async fn what_a_key_may_do_and_not_see_is_recorded_and_not_shown() {
    let (app, _, owner) = TestApp::start().await;
    let (_, program) = program(&owner, &["runs:start"], TimeDelta::days(1)).await;
    let (from, to) = app.days();
    let started = program.post(RUNS, &json!({"from": from, "to": to})).await.expect(202);
    assert_eq!(started["run"], Value::Null);
    program.get(RUNS).await.problem(403, "access.forbidden");
    owner.get(&format!("{RUNS}/{}", started["id"].as_str().unwrap())).await.expect(200);
}

#[tokio::test]
async fn nobody_gives_a_key_more_than_they_have() {
    let (app, _, owner) = TestApp::start().await;
    let keeper = json!({"name": "keeper", "title": "Keeper", "level": 30, "permissions": ["api_keys:*", "runs:read"]});
    owner.post("/api/v1/admin/matrix/roles", &keeper).await.expect(200);
    let keeper = app.person("keeper").await;
    let answer = keeper.post(KEYS, &new(&["runs:*", "runs:read", "settings:write"], TimeDelta::days(1))).await;
    let detail = answer.problem(403, "api_key.beyond_creator")["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("runs:*, settings:write") && !detail.contains("runs:read"), "{detail}");
    program(&keeper, &["runs:read"], TimeDelta::days(1)).await.1.get(RUNS).await.expect(200);
    app.user().await.get(KEYS).await.problem(403, "access.forbidden");
}

#[tokio::test]
async fn a_repeat_creates_no_second_key_and_cannot_show_the_first() {
    let (_app, _, owner) = TestApp::start().await;
    let body = new(&["runs:read"], TimeDelta::days(1));
    let create = || owner.request(Method::POST, KEYS).header("idempotency-key", "export-1").json(&body);
    let first = owner.send(create()).await.expect(201);
    let again = owner.send(create()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let again = again.expect(201);
    assert_eq!((&again["id"], &again["key"]), (&first["id"], &Value::Null));
    assert!(again["detail"].as_str().unwrap().contains("cannot be shown again"), "{again:#}");
    assert_eq!(owner.get(KEYS).await.expect(200)["items"].as_array().unwrap().len(), 1);
    owner.with_token(first["key"].as_str().unwrap()).get(RUNS).await.expect(200);
}
