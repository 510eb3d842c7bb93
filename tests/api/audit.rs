//! The company's own history over HTTP: who did what, when, from where and by which right.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const AUDIT: &str = "/api/v1/audit";

async fn me(actor: &Actor) -> Value {
    actor.get("/api/v1/users/me").await.expect(200)
}

/// The names of the listed events.
async fn names(actor: &Actor, query: &str) -> Vec<String> {
    let page = actor.get(&format!("{AUDIT}?limit=100&{query}")).await.expect(200);
    let name = |item: &Value| item["event_type"].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn an_owner_reads_who_did_what_from_where_and_by_which_right() {
    let (app, anonymous, owner) = TestApp::start().await;
    let (from, to) = app.days();
    let start = owner.request(Method::POST, "/api/v1/runs").header("user-agent", "a-browser/7");
    let started = owner.send(start.json(&json!({"from": from, "to": to}))).await;
    let request = started.header("x-request-id").unwrap().to_owned();
    let run = started.expect(202)["id"].as_str().unwrap().to_owned();
    let entry = app.event_shown(&owner, &format!("aggregate_id={run}&event_type=RunStarted")).await;
    let owner_is = me(&owner).await;
    let actor = json!({"kind": "user", "id": owner_is["id"], "name": owner_is["name"], "role": "owner"});
    assert_eq!((&entry["actor"], &entry["acting_for"]), (&actor, &Value::Null));
    for (field, value) in [
        ("right", json!("runs:start")),
        ("request_id", json!(request)),
        ("correlation_id", json!(request)),
        ("ip", json!("127.0.0.1")),
        ("user_agent", json!("a-browser/7")),
        ("aggregate_type", json!("job_run")),
        ("sequence", json!(1)),
        ("withheld", json!([])),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(entry["fields"]["run_id"], run.as_str());
    let path = format!("{AUDIT}/{}", entry["position"].as_str().unwrap());
    let russian = owner.send(owner.request(Method::GET, &path).header("accept-language", "ru-RU,en;q=0.5")).await;
    assert!(entry["summary"].as_str().unwrap().starts_with("A run was started, for "), "{entry:#}");
    assert!(russian.expect(200)["summary"].as_str().unwrap().starts_with("Запуск начат, период с "));
    assert_eq!(owner.get(&path).await.expect(200), entry);
    app.other_tenant().await.get(&path).await.problem(404, "audit.not_found");
    anonymous.get(&path).await.problem(401, "token.missing");
    app.user().await.get(AUDIT).await.problem(403, "access.forbidden");
}

#[tokio::test]
async fn the_history_is_read_from_both_ends_and_every_bad_part_of_a_question_is_named() {
    let (app, _, owner) = TestApp::start().await;
    app.event_shown(&owner, "event_type=SessionOpened").await;
    let forward = names(&owner, "order=oldest").await;
    assert_eq!(forward[0], "TenantProvisioned");
    let mut backward = names(&owner, "order=newest").await;
    backward.reverse();
    assert_eq!(backward[..forward.len()], forward);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{AUDIT}?limit=4&order=oldest{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        paged.extend(items.iter().map(|item| item["event_type"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, forward);
    let bad = "limit=0&cursor=x&order=up&actor=&aggregate_type=note&event_type=Nothing&correlation_id=7&since=soon&until=late";
    let named = owner.get(&format!("{AUDIT}?{bad}")).await.bad_fields();
    let expected =
        ["limit", "cursor", "order", "actor", "aggregate_type", "event_type", "correlation_id", "since", "until"];
    assert_eq!(named, expected);
    let backwards = "since=2026-06-02T00:00:00Z&until=2026-06-01T00:00:00Z";
    assert_eq!(owner.get(&format!("{AUDIT}?{backwards}")).await.bad_fields(), ["until"]);
    assert_eq!(owner.get(&format!("{AUDIT}/1-2")).await.bad_fields(), ["position"]);
}

#[tokio::test]
async fn a_role_sees_of_the_history_what_its_reach_shows() {
    let (app, _, owner) = TestApp::start().await;
    for (name, reach) in [("auditor", "anonymized"), ("clerk", "own")] {
        let role = json!({
            "name": name, "title": name, "level": 20, "permissions": [format!("audit:read:{reach}"), "runs:*"],
        });
        owner.post("/api/v1/admin/matrix/roles", &role).await.expect(200);
    }
    let (auditor, clerk) = (app.person("auditor").await, app.person("clerk").await);
    let clerk_is = me(&clerk).await["id"].as_str().unwrap().to_owned();
    let mine = format!("aggregate_id={clerk_is}&event_type=UserRegistered");
    let all = app.event_shown(&owner, &mine).await;
    assert!(all["fields"]["email"].is_string() && all["withheld"] == json!([]), "{all:#}");
    let anonymized = app.event_shown(&auditor, &mine).await;
    assert_eq!((&anonymized["withheld"], &anonymized["fields"]["role"]), (&json!(["email", "name"]), &json!("clerk")));
    let summaries = (&all["summary"], &anonymized["summary"]);
    let told = json!("A user was registered: Test person, with the role clerk.");
    assert_eq!(summaries, (&told, &json!("A user was registered, with the role clerk.")));
    assert_eq!((&anonymized["actor"]["name"], &anonymized["ip"]), (&Value::Null, &Value::Null));
    let run = clerk.start_run(app.days()).await;
    let started = app.event_shown(&clerk, &format!("aggregate_id={run}&event_type=RunStarted")).await;
    assert_eq!(started["actor"]["id"], clerk_is.as_str());
    let foreign = format!("{AUDIT}/{}", all["position"].as_str().unwrap());
    clerk.get(&foreign).await.problem(404, "audit.not_found");
    for name in names(&clerk, "order=newest").await {
        assert!(["SessionOpened", "RunStarted"].contains(&name.as_str()), "{name} was not the clerk's doing");
    }
}
