//! What holds for every request, whatever it is for.

use reqwest::Method;
use testkit::TestApp;

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let (_app, anonymous, owner) = TestApp::start().await;
    for actor in [&anonymous, &owner] {
        actor.get("/api/v1/nowhere").await.problem(404, "route.not_found");
        let deleted = actor.send(actor.request(Method::DELETE, "/api/v1/runs")).await;
        deleted.problem(405, "route.method_not_allowed");
        assert_eq!(deleted.header("allow"), Some("GET, HEAD, POST"));
    }
}

#[tokio::test]
async fn the_id_of_a_request_comes_back_and_is_recorded() {
    let (app, _, owner) = TestApp::start().await;
    let id = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";
    let (from, to) = app.days();
    let start = owner.request(Method::POST, "/api/v1/runs").header("x-request-id", id).header("user-agent", "a test");
    let answer = owner.send(start.json(&serde_json::json!({"from": from, "to": to}))).await;
    answer.expect(202);
    assert_eq!(answer.header("x-request-id"), Some(id));
    let events = app.events().await;
    let started = events.iter().find(|event| event.event_type == "RunStarted").unwrap();
    let recorded = ["request_id", "user_agent", "ip", "right"].map(|name| started.metadata[name].as_str().unwrap());
    assert_eq!(recorded, [id, "a test", "127.0.0.1", "runs:start"]);
    let other = owner.get("/api/v1/runs").await;
    assert_ne!(other.header("x-request-id"), Some(id));
}
