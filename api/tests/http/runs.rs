use poem::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Api, Memory, OWNER, READER, STRANGER, request};

const RUNS: &str = "/api/v1/runs";

#[tokio::test]
async fn a_started_run_is_answered_with_its_steps_its_address_and_its_position() {
    let api = Api::new();
    let answer = api.post(RUNS, OWNER, &json!({"from": "2026-06-01", "to": "2026-06-02"})).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.header("synkro-position"), Some("1-1-10"));
    let body = answer.json();
    let (id, run) = (body["id"].as_str().unwrap(), &body["run"]);
    assert_eq!(answer.header("location"), Some(format!("/api/v1/runs/{id}").as_str()));
    assert_eq!((&run["id"], &run["kind"], &run["status"]), (&body["id"], &json!("custom"), &json!("running")));
    assert_eq!(run["period"], json!({"from": "2026-05-31T19:00:00+00:00", "to": "2026-06-02T19:00:00+00:00"}));
    let names: Vec<&Value> = run["steps"].as_array().unwrap().iter().map(|step| &step["name"]).collect();
    assert_eq!(names.len(), 8);
    assert_eq!((names[0], names[7]), (&json!("fetch_deals"), &json!("notify")));
    let read = api.get(answer.header("location").unwrap(), READER).await;
    let mut found = read.json();
    assert_eq!(found.as_object_mut().unwrap().remove("parked"), Some(json!(0)));
    assert_eq!((read.status, &found), (200, run));
}

#[tokio::test]
async fn a_run_whose_read_model_lags_is_answered_without_its_steps() {
    let api = Api::new();
    Memory::set(&api.memory.lagging);
    let answer = api.post(RUNS, OWNER, &json!({"from": "2026-06-01", "to": "2026-06-01"})).await;
    assert_eq!((answer.status, &answer.json()["run"]), (202, &Value::Null));
    assert!(answer.header("location").is_some() && answer.header("synkro-position").is_some());
}

/// Seen to fail: with the read model's answer taken over, the recorded command was answered with 404.
#[tokio::test]
async fn a_run_whose_event_is_parked_is_recorded_all_the_same() {
    let api = Api::new();
    Memory::set(&api.memory.parking);
    let answer = api.post(RUNS, OWNER, &json!({"from": "2026-06-01", "to": "2026-06-01"})).await;
    assert_eq!((answer.status, &answer.json()["run"]), (202, &Value::Null));
}

#[tokio::test]
async fn all_bad_dates_are_named_together() {
    let api = Api::new();
    for days in [json!({}), json!({"from": "2026-02-30", "to": "1 June"}), json!({"from": 1, "to": null})] {
        assert_eq!(api.post(RUNS, OWNER, &days).await.bad_fields(), ["from", "to"], "{days}");
    }
    let reversed = json!({"from": "2026-06-02", "to": "2026-06-01"});
    assert_eq!(api.post(RUNS, OWNER, &reversed).await.bad_fields(), ["to"]);
}

#[tokio::test]
async fn everything_that_is_not_set_up_is_named() {
    let api = Api::new();
    Memory::set(&api.memory.not_set_up);
    let answer = api.post(RUNS, OWNER, &json!({"from": "2026-06-01", "to": "2026-06-01"})).await;
    assert_eq!(answer.problem(409), "run.integrations_missing");
    assert_eq!(answer.json()["fields"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn the_circumstances_of_a_request_are_recorded() {
    let api = Api::new();
    let id = Uuid::from_u128(77).to_string();
    let sent = request(Method::POST, RUNS, OWNER)
        .header("x-request-id", &id)
        .header("user-agent", "ж".repeat(90) + &"x".repeat(500))
        .content_type("application/json")
        .body(json!({"from": "2026-06-01", "to": "2026-06-01"}).to_string());
    let answer = api.send(sent).await;
    assert_eq!((answer.status, answer.header("x-request-id")), (202, Some(id.as_str())));
    let recorded = api.memory.recorded.lock().unwrap();
    assert_eq!((recorded["request_id"].as_str(), recorded["right"].as_str()), (id.as_str(), "runs:start"));
    assert_eq!(recorded["user_agent"].chars().count(), 200);
}

#[tokio::test]
async fn cancelling_twice_changes_nothing_the_second_time() {
    let api = Api::new();
    let path = format!("{RUNS}/{}/cancel", api.started_run().await);
    let first = api.post(&path, OWNER, &Value::Null).await;
    assert_eq!((first.status, &first.json()["run"]["status"]), (202, &json!("cancelled")));
    assert_eq!(first.header("synkro-position"), Some("1-2-20"));
    let second = api.post(&path, OWNER, &Value::Null).await;
    assert_eq!((second.status, second.header("synkro-position")), (202, None));
    assert_eq!(second.json(), first.json());
}

#[tokio::test]
async fn a_command_on_a_version_is_refused_on_a_newer_one() {
    let api = Api::new();
    let run = format!("{RUNS}/{}", api.started_run().await);
    let version = api.get(&run, READER).await.header("etag").map(str::to_owned);
    assert_eq!(version.as_deref(), Some("\"1\""));
    let cancel = async |version: &str| {
        let cancel = request(Method::POST, &format!("{run}/cancel"), OWNER).header("if-match", version);
        api.send(cancel.finish()).await
    };
    for other in ["\"0\"", "\"2\"", "\"18446744073709551615\""] {
        assert_eq!(cancel(other).await.problem(409), "conflict.changed", "{other}");
    }
    assert_eq!(api.get(&run, READER).await.json()["status"], "running");
    assert_eq!(cancel("\"1\"").await.status, 202);
    let changed = cancel("\"1\"").await;
    assert_eq!(changed.problem(409), "conflict.changed");
    assert!(changed.json()["detail"].as_str().unwrap().contains("version 2"), "{}", changed.text);
    assert_eq!(cancel("*").await.status, 202, "whatever version it is");
    assert_eq!(api.get(&run, READER).await.header("etag"), Some("\"2\""));
}

/// Seen to fail: with values that are no text passed over, a command was recorded as if it had been sent without a key.
#[tokio::test]
async fn headers_that_cannot_be_read_are_named() {
    let api = Api::new();
    let run = api.started_run().await;
    let long = "k".repeat(129);
    let keys: [&[u8]; 5] = [b"", b"two words", "ключ".as_bytes(), b"\xff", long.as_bytes()];
    let versions: [&[u8]; 8] = [b"", b"1", b"\"x\"", b"\"1", b"W/\"1\"", b"\"1\", \"2\"", b"\"01\"", b"\"-1\""];
    let sent = async |path: &str, headers: &[(&str, &[u8])]| {
        let command = request(Method::POST, path, OWNER).content_type("application/json");
        let mut command = command.body(json!({"from": "2026-06-01", "to": "2026-06-01"}).to_string());
        for (name, value) in headers {
            let name: poem::http::HeaderName = name.parse().unwrap();
            command.headers_mut().append(name, poem::http::HeaderValue::from_bytes(value).unwrap());
        }
        let answer = api.send(command).await;
        assert_eq!(answer.problem(400), "header.malformed", "{headers:?}");
        let body = answer.json();
        let named = body["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap().to_owned());
        named.collect::<Vec<_>>()
    };
    for command in ["cancel", "notification"] {
        let path = format!("{RUNS}/{run}/{command}");
        for key in keys {
            assert_eq!(sent(&path, &[("idempotency-key", key)]).await, ["Idempotency-Key"]);
        }
        for version in versions {
            assert_eq!(sent(&path, &[("if-match", version)]).await, ["If-Match"]);
            let both = sent(&path, &[("if-match", version), ("idempotency-key", b"")]).await;
            assert_eq!(both, ["Idempotency-Key", "If-Match"]);
        }
        let twice: [(&str, &[u8]); 2] = [("idempotency-key", b"a"), ("idempotency-key", b"b")];
        assert_eq!(sent(&path, &twice).await, ["Idempotency-Key"]);
    }
    for key in keys {
        assert_eq!(sent(RUNS, &[("idempotency-key", key)]).await, ["Idempotency-Key"]);
    }
    assert_eq!(api.get(RUNS, OWNER).await.json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(api.get(&format!("{RUNS}/{run}"), OWNER).await.json()["status"], "running");
}

#[tokio::test]
async fn a_notification_that_is_not_due_is_a_conflict() {
    let api = Api::new();
    let path = format!("{RUNS}/{}/notification", api.started_run().await);
    assert_eq!(api.post(&path, OWNER, &Value::Null).await.problem(409), "run.nothing_to_resend");
}

#[tokio::test]
async fn another_companys_run_does_not_exist() {
    let api = Api::new();
    let run = api.started_run().await;
    let path = format!("{RUNS}/{run}");
    assert_eq!(api.get(&path, STRANGER).await.problem(404), "run.not_found");
    for command in ["cancel", "notification"] {
        let answer = api.post(&format!("{path}/{command}"), STRANGER, &Value::Null).await;
        answer.problem(404);
    }
    assert_eq!(api.get(RUNS, STRANGER).await.json(), json!({"items": [], "next": null, "parked": 0}));
    assert_eq!(api.get(&path, OWNER).await.json()["status"], "running");
}

#[tokio::test]
async fn pages_show_every_run_once_newest_first() {
    let api = Api::new();
    let mut started = Vec::new();
    for _ in 0..5 {
        started.insert(0, api.started_run().await);
    }
    let (mut seen, mut path, mut pages) = (Vec::new(), format!("{RUNS}?limit=2"), 0);
    loop {
        let body = api.get(&path, READER).await.json();
        seen.extend(body["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        pages += 1;
        match body["next"].as_str() {
            Some(next) => path = format!("{RUNS}?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((seen, pages), (started, 3));
}

#[tokio::test]
async fn bad_parameters_are_named_together() {
    let api = Api::new();
    let fields = |query: &str| {
        let path = format!("{RUNS}{query}");
        let api = &api;
        async move { api.get(&path, OWNER).await.bad_fields() }
    };
    assert_eq!(fields("?limit=0&cursor=abc").await, ["limit", "cursor"]);
    assert_eq!(fields("?limit=101").await, ["limit"]);
    assert_eq!(fields("?limit=").await, ["limit"]);
    assert_eq!(fields("/42").await, ["id"]);
}
