use std::time::Duration;

use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::TestApp;

const RUNS: &str = "/api/v1/runs";

#[tokio::test]
async fn a_run_is_accepted_followed_and_counted() {
    let (app, _, owner) = TestApp::start().await;
    let (from, to) = app.days();
    let answer = owner.post(RUNS, &json!({"from": from, "to": to})).await;
    let body = answer.expect(202);
    let address = answer.header("location").unwrap();
    assert_eq!(address, format!("{RUNS}/{}", body["id"].as_str().unwrap()));
    assert!(answer.header("synkro-position").is_some_and(|position| position.contains('-')));
    // The answer waited for the read models, so that one can read one's own write.
    assert_eq!(body["run"]["id"], body["id"]);

    let run = owner.ended_run(body["id"].as_str().unwrap()).await;
    run.assert_completed();
    let (contacts, messages) = (app.dialogues.len() as u64, app.dialogues.message_count() as u64);
    for (step, what, count) in [
        ("fetch_deals", "deals", contacts),
        ("save_deals", "deals", contacts),
        ("fetch_chats", "messages", messages),
        ("save_chats", "chats", contacts),
        ("build_package", "dialogues", contacts),
        ("persist_report", "reports", 1),
        ("notify", "messages", 1),
    ] {
        assert_eq!(run.count(step, what), count, "{step}");
    }
    assert_eq!(owner.get(address).await.expect(200), run.0);
    assert_eq!(app.simulators.row_count("synkro_messages") as u64, messages);
}

#[tokio::test]
async fn bad_days_are_refused_with_all_that_is_wrong() {
    let (app, _, owner) = TestApp::start().await;
    let refused = async |days: Value| owner.post(RUNS, &days).await.bad_fields();
    assert_eq!(refused(json!({"from": "1 June", "to": "2026-02-30"})).await, ["from", "to"]);
    assert_eq!(refused(json!({})).await, ["from", "to"]);
    assert_eq!(refused(json!({"from": "2026-06-02", "to": "2026-06-01"})).await, ["to"]);
    assert_eq!(refused(json!({"from": "2026-01-01", "to": "2026-12-31"})).await, ["to"]);
    assert!(app.simulators.calls().is_empty());
    assert_eq!(owner.get(RUNS).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_list_shows_every_run_once_newest_first() {
    let (app, _, owner) = TestApp::start().await;
    let day = app.days().0 - chrono::TimeDelta::days(400);
    let mut started = Vec::new();
    for _ in 0..5 {
        started.insert(0, owner.start_run((day, day)).await);
    }
    let (mut seen, mut path) = (Vec::new(), format!("{RUNS}?limit=2"));
    loop {
        let page = owner.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("{RUNS}?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, started);
    assert_eq!(owner.get(&format!("{RUNS}?limit=0&cursor=x")).await.bad_fields(), ["limit", "cursor"]);
}

#[tokio::test]
async fn a_run_in_progress_can_be_cancelled_a_finished_one_cannot() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Amocrm, None, FaultKind::Delay(Duration::from_secs(20)), Some(1));
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| run.step_status("fetch_deals") == "running").await;
    let cancelled = owner.post(&format!("{RUNS}/{id}/cancel"), &Value::Null).await.expect(202);
    assert_eq!(cancelled["run"]["status"], "cancelled");
    app.simulators.faults().clear();
    let done = owner.run_report(app.days()).await;
    done.assert_completed();
    owner.post(&format!("{RUNS}/{}/cancel", done.id()), &Value::Null).await.problem(409, "run.already_over");
}

#[tokio::test]
async fn a_notification_that_arrived_is_not_sent_again() {
    let (app, _, owner) = TestApp::start().await;
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    let path = format!("{RUNS}/{}/notification", run.id());
    owner.post(&path, &Value::Null).await.problem(409, "run.nothing_to_resend");
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_user_reads_runs_and_starts_none() {
    let (app, _, owner) = TestApp::start().await;
    let user = app.user().await;
    let run = owner.run_report(app.days()).await;
    assert_eq!(user.run(run.id()).await.0, run.0);
    assert_eq!(user.get(RUNS).await.expect(200)["items"].as_array().unwrap().len(), 1);
    let (from, to) = app.days();
    let refused = [
        user.post(RUNS, &json!({"from": from, "to": to})).await,
        user.post(&format!("{RUNS}/{}/cancel", run.id()), &Value::Null).await,
        user.post(&format!("{RUNS}/{}/notification", run.id()), &Value::Null).await,
    ];
    for answer in refused {
        let problem = answer.any_problem();
        assert_eq!(problem["status"], 403);
        assert!(problem["detail"].as_str().unwrap().contains("runs:start"), "{problem:#}");
    }
    assert_eq!(owner.get(RUNS).await.expect(200)["items"].as_array().unwrap().len(), 1);
}
