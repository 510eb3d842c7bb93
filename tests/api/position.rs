//! Requests that name the place in the log which they have seen.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::{Actor, Answer, TestApp};

const RUNS: &str = "/api/v1/runs";

async fn get_after(actor: &Actor, path: &str, position: &str) -> Answer {
    actor.send(actor.request(Method::GET, path).header("synkro-position", position)).await
}

/// Seen to fail: without the wait, the run was 404 while its table stood still; with places believed to be there that all
/// read models are past.
#[tokio::test]
async fn what_was_recorded_up_to_a_position_is_shown_or_said_to_be_behind() {
    let (app, _, owner) = TestApp::start().await;
    let owner = owner.careless();
    let (from, to) = app.days();
    // Not by a lock: its transaction would hold up everybody on the server.
    let lease = async |seconds: f64| {
        let other = "update projection_checkpoints
                     set holder = gen_random_uuid(), held_until = clock_timestamp() + make_interval(secs => $1)
                     where name = 'runs'";
        sqlx::query(other).bind(seconds).execute(app.database().pool()).await.unwrap();
    };
    lease(600.0).await;
    let started = owner.post(RUNS, &json!({"from": from, "to": to})).await;
    let (path, position) = (started.header("location").unwrap(), started.header("synkro-position").unwrap());
    assert_eq!(started.expect(202)["run"], json!(null), "its table stands still");
    owner.get(path).await.problem(404, "run.not_found");
    let behind = get_after(&owner, path, position).await;
    behind.problem(503, "system.behind");
    assert_eq!(behind.header("retry-after"), Some("1"));
    lease(0.0).await;
    let given_up = Instant::now() + Duration::from_secs(30);
    let shown = loop {
        let answer = get_after(&owner, path, position).await;
        if answer.status != 503 || Instant::now() > given_up {
            break answer;
        }
    };
    shown.expect(200);
    // As of a server that a failover lost, or of another installation; also where more was recorded since.
    let lost = format!("{position}999");
    owner.post(RUNS, &json!({"from": from, "to": to})).await.expect(202);
    app.database().catch_up().await;
    for lost in ["1-999999999999-9", "1-3-1", lost.as_str()] {
        get_after(&owner, path, lost).await.problem(409, "position.unknown");
    }
    get_after(&owner, path, "yesterday").await.problem(400, "header.malformed");
}
