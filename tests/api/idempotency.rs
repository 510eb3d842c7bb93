//! Requests that are repeated under their key, and commands that are about one version.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

const RUNS: &str = "/api/v1/runs";

async fn post(actor: &Actor, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let request = actor.request(Method::POST, path).json(body);
    actor.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

fn days(app: &TestApp) -> Value {
    let (from, to) = app.days();
    json!({"from": from, "to": to})
}

/// The answer of a repeat, compared with the first one.
fn assert_replayed(first: &Answer, repeat: &Answer) {
    assert_eq!(repeat.expect(first.status)["id"], first.json()["id"]);
    for header in ["location", "synkro-position", "content-type"] {
        assert_eq!(repeat.header(header), first.header(header), "{header}");
    }
    assert_eq!((first.header("idempotent-replayed"), repeat.header("idempotent-replayed")), (None, Some("true")));
}

#[tokio::test]
async fn a_repeated_start_is_the_same_run() {
    let (app, _, owner) = TestApp::start().await;
    let key = [("idempotency-key", "the report of June")];
    post(&owner, RUNS, &key, &days(&app)).await.problem(400, "header.malformed");
    let key = [("idempotency-key", "report-of-june")];
    let first = post(&owner, RUNS, &key, &days(&app)).await;
    let run = owner.ended_run(first.expect(202)["id"].as_str().unwrap()).await;
    run.assert_completed();
    // Another order and spacing of the same fields is the same request.
    let text = days(&app);
    let spaced = format!("{{ \"to\" : {},\n\"from\": {} }}", text["to"], text["from"]);
    let respaced = owner.request(Method::POST, RUNS).header(key[0].0, key[0].1);
    let respaced = owner.send(respaced.header("content-type", "application/json").body(spaced)).await;
    assert_replayed(&first, &respaced);
    let mut now = run.0.clone();
    now.as_object_mut().unwrap().remove("parked");
    assert_eq!(respaced.json()["run"], now, "the run as it is now");
    let again = post(&owner, RUNS, &key, &days(&app)).await;
    assert_replayed(&first, &again);
    assert_eq!(again.text, respaced.text);
    assert_eq!(owner.get(RUNS).await.expect(200)["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

/// Seen to fail: without the look before the preconditions, the repeat was told that integrations are missing.
#[tokio::test]
async fn a_repeated_start_does_not_ask_again_what_is_set_up() {
    let (app, _, owner) = TestApp::start().await;
    let key = [("idempotency-key", "k")];
    let first = post(&owner, RUNS, &key, &days(&app)).await;
    owner.ended_run(first.expect(202)["id"].as_str().unwrap()).await;
    sqlx::query("delete from integrations").execute(app.database().pool()).await.unwrap();
    post(&owner, RUNS, &[("idempotency-key", "l")], &days(&app)).await.problem(409, "run.integrations_missing");
    assert_replayed(&first, &post(&owner, RUNS, &key, &days(&app)).await);
}

#[tokio::test]
async fn a_key_that_stands_for_something_else_is_refused() {
    let (app, _, owner) = TestApp::start().await;
    let key = [("idempotency-key", "k")];
    let first = post(&owner, RUNS, &key, &days(&app)).await.expect(202);
    let id = first["id"].as_str().unwrap();
    owner.ended_run(id).await;
    let (from, _) = app.days();
    post(&owner, RUNS, &key, &json!({"from": from, "to": from})).await.problem(409, "idempotency.key_reused");
    for command in ["cancel", "notification"] {
        let path = format!("{RUNS}/{id}/{command}");
        post(&owner, &path, &key, &Value::Null).await.problem(409, "idempotency.key_reused");
    }
    // Who may not start runs learns nothing from a key; another company has keys of its own.
    let user = app.user().await;
    assert_eq!(post(&user, RUNS, &key, &days(&app)).await.any_problem()["status"], 403);
    let other = app.other_tenant().await;
    let others = post(&other, RUNS, &key, &days(&app)).await;
    assert_ne!(others.expect(202)["id"], first["id"]);
    assert_eq!(others.header("idempotent-replayed"), None);
    assert_eq!(owner.get(RUNS).await.expect(200)["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_command_on_a_version_that_is_gone_changes_nothing() {
    let (app, _, owner) = TestApp::start().await;
    let run = format!("{RUNS}/{}", owner.start_run(app.days()).await);
    let before = owner.get(&run).await.header("etag").unwrap().to_owned();
    owner.ended_run(run.rsplit('/').next().unwrap()).await.assert_completed();
    let after = owner.get(&run).await.header("etag").unwrap().to_owned();
    assert_ne!(before, after);
    let events = app.events().await.len();
    for (command, refused) in [("cancel", "run.already_over"), ("notification", "run.nothing_to_resend")] {
        let path = format!("{run}/{command}");
        let changed = post(&owner, &path, &[("if-match", &before)], &Value::Null).await;
        let detail = changed.problem(409, "conflict.changed")["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("version {}", after.trim_matches('"'))), "{detail} {after}");
        for current in [after.as_str(), "*"] {
            post(&owner, &path, &[("if-match", current)], &Value::Null).await.problem(409, refused);
        }
    }
    assert_eq!(app.events().await.len(), events);
}
