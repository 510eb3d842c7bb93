use std::sync::atomic::Ordering;

use serde_json::json;
use uuid::Uuid;

use crate::support::{Api, Memory, OWNER};

#[tokio::test]
async fn the_process_says_that_it_is_up_whatever_its_dependencies_do() {
    let api = Api::new();
    Memory::set(&api.memory.down);
    for path in ["/health", "/api/v1/public/healthcheck"] {
        let answer = api.get(path, "").await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("ok")), "{path}");
    }
}

#[tokio::test]
async fn readiness_is_that_of_all_dependencies() {
    let api = Api::new();
    let answer = api.get("/ready", "").await;
    assert_eq!((answer.status, &answer.json()["ready"]), (200, &json!(true)));
    Memory::set(&api.memory.down);
    let answer = api.get("/ready", "").await;
    let expected = json!({
        "ready": false,
        "dependencies": [
            {"name": "database", "state": "down", "reason": "it does not answer"},
            {"name": "read_models", "state": "up"},
        ],
    });
    assert_eq!((answer.status, answer.json()), (503, expected));
}

#[tokio::test]
async fn what_is_degraded_is_shown_and_keeps_nobody_from_working() {
    let api = Api::new();
    Memory::set(&api.memory.alone);
    let answer = api.get("/ready", "").await;
    let redis = json!({"name": "redis", "state": "degraded", "reason": "it does not answer"});
    assert_eq!((answer.status, &answer.json()["dependencies"][2]), (200, &redis));
}

#[tokio::test]
async fn metrics_show_every_projection_and_stay_up_while_events_are_parked() {
    let api = Api::new();
    api.memory.parked.store(3, Ordering::SeqCst);
    let answer = api.get("/metrics", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    for line in [
        "# TYPE synkro_projection_parked_events gauge",
        r#"synkro_projection_parked_events{projection="runs"} 3"#,
        r#"synkro_projection_parked_events{projection="reports"} 3"#,
        r#"synkro_projection_position{projection="runs"} 205"#,
        r#"synkro_projection_behind_events{projection="runs"} 12"#,
        r#"synkro_projection_behind_seconds{projection="runs"} 1.5"#,
        r#"synkro_projection_events_per_second{projection="runs"} 0.25"#,
        r#"synkro_provider_circuits{service="amocrm",state="open"} 2"#,
        "synkro_provider_calls_in_flight 7",
        r#"synkro_projection_lease_expires_seconds{projection="runs",holder="00000000-0000-0000-0000-000000000007"} 1780387200"#,
    ] {
        assert!(answer.text.lines().any(|shown| shown == line), "no {line} in\n{}", answer.text);
    }
    assert!(!answer.text.contains(r#"lease_expires_seconds{projection="reports""#), "nobody holds it");
    assert_eq!(api.get("/ready", "").await.status, 200, "parked events make no process unfit");
    Memory::set(&api.memory.down);
    assert_eq!(api.get("/metrics", "").await.status, 503);
}

#[tokio::test]
async fn answers_from_read_models_say_how_many_events_are_parked() {
    let api = Api::new();
    let run = format!("/api/v1/runs/{}", api.started_run().await);
    let report = format!("/api/v1/reports/{}", Memory::report_id());
    for parked in [0, 3] {
        api.memory.parked.store(parked, Ordering::SeqCst);
        for path in ["/api/v1/runs", "/api/v1/reports", &run, &report] {
            assert_eq!(api.get(path, OWNER).await.json()["parked"], json!(parked), "{path}");
        }
    }
}

/// Seen to fail with `or_missing` that does not pass on how many are parked.
#[tokio::test]
async fn what_is_not_found_while_events_are_parked_may_be_one_of_them() {
    let api = Api::new();
    for parked in [0, 3] {
        api.memory.parked.store(parked, Ordering::SeqCst);
        for (kind, code) in [("runs", "run.not_found"), ("reports", "report.not_found")] {
            let answer = api.get(&format!("/api/v1/{kind}/{}", Uuid::nil()), OWNER).await;
            assert_eq!(answer.problem(404), code);
            let told = answer.json();
            assert_eq!(told.get("parked"), (parked > 0).then(|| json!(parked)).as_ref());
            assert_eq!(told["detail"].as_str().unwrap().contains("parked"), parked > 0, "{told}");
        }
    }
}
