//! What belongs to another company does not exist.

use serde_json::{Value, json};
use testkit::TestApp;

/// Seen to fail with a reader of runs that does not ask for the tenant.
#[tokio::test]
async fn another_companys_things_do_not_exist() {
    let (app, _, owner) = TestApp::start().await;
    let stranger = app.other_tenant().await;
    let run = owner.run_report(app.days()).await;
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let report = reports["items"][0]["id"].as_str().unwrap();
    for path in [format!("/api/v1/runs/{}", run.id()), format!("/api/v1/reports/{report}")] {
        owner.get(&path).await.expect(200);
        assert_eq!(stranger.get(&path).await.any_problem()["status"], 404);
    }
    for command in ["cancel", "notification"] {
        let path = format!("/api/v1/runs/{}/{command}", run.id());
        assert_eq!(stranger.post(&path, &Value::Null).await.any_problem()["status"], 404);
    }
    for list in ["/api/v1/runs", "/api/v1/reports"] {
        assert_eq!(stranger.get(list).await.expect(200), json!({"items": [], "next": null, "parked": 0}));
    }
    assert_eq!(owner.run(run.id()).await.0, run.0);
}

/// What is missing and what belongs to another are answered in the same words.
#[tokio::test]
async fn nothing_tells_what_is_anothers_from_what_is_not_there() {
    let (app, _, owner) = TestApp::start().await;
    let stranger = app.other_tenant().await;
    let run = owner.run_report(app.days()).await;
    let missing = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";
    for suffix in ["", "/cancel", "/notification"] {
        let mut answers = Vec::new();
        for id in [run.id(), missing] {
            let path = format!("/api/v1/runs/{id}{suffix}");
            let answer =
                if suffix.is_empty() { stranger.get(&path).await } else { stranger.post(&path, &Value::Null).await };
            let mut problem = answer.any_problem();
            problem["request_id"] = Value::Null;
            answers.push(problem);
        }
        assert_eq!(answers[0], answers[1], "{suffix}");
    }
}
