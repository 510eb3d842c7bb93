//! Stopping runs, and several workers at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use application::pipeline::WorkerOptions;
use serde_json::Value;
use simulator::{FaultKind, Limits, Service};
use testkit::{CapturedLog, TestApp};
use tokio::time::Instant;

/// Seen to fail with a worker that looks for a cancellation every three seconds.
#[tokio::test]
async fn a_cancelled_run_stops_its_step_within_a_second_and_stays_cancelled() {
    let log = CapturedLog::start();
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Gemini, Some("generateContent"), FaultKind::Delay(Duration::from_secs(30)), None);
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| run.step_status("analyse") == "running").await;
    while app.calls(Service::Gemini, "generateContent").is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let asked = Instant::now();
    owner.post(&format!("/api/v1/runs/{id}/cancel"), &Value::Null).await.expect(202);
    while !log.text().contains("the run was cancelled; the step stops") {
        assert!(asked.elapsed() < Duration::from_secs(1), "the step is still in progress");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.simulators.faults().clear();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let run = owner.run(&id).await;
    assert_eq!((run.status(), run.step_status("analyse")), ("cancelled", "cancelled"), "{:#}", run.0);
    assert_eq!(run.attempts("persist_report"), 0);
    owner.post(&format!("/api/v1/runs/{id}/cancel"), &Value::Null).await.expect(202);
    owner.post(&format!("/api/v1/runs/{id}/notification"), &Value::Null).await.problem(409, "run.nothing_to_resend");
    assert_eq!((app.simulators.row_count("synkro_reports"), app.simulators.telegram_messages().len()), (0, 0));
}

#[tokio::test]
async fn a_cancelled_run_is_not_retried() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Amocrm, None, super::accounts::refusal(429, &[("retry-after", "1")]), Some(1));
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| !run.step("fetch_deals")["retry_at"].is_null()).await;
    owner.post(&format!("/api/v1/runs/{id}/cancel"), &Value::Null).await.expect(202);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let run = owner.run(&id).await;
    assert_eq!((run.status(), run.attempts("fetch_deals")), ("cancelled", 1), "{:#}", run.0);
    assert_eq!(app.calls(Service::Amocrm, "").len(), 1);
}

/// One process may use PGlite, so that there this has nothing to show. Each process spaces its own calls only, so that
/// the services' limits are lifted here, and each does one step at a time, so that one alone never has all of them. Seen to
/// fail with a queue that hands out claimed steps, together with
/// appends that do not mind the version that was decided on.
#[tokio::test]
async fn two_workers_do_every_step_once() {
    let unlimited = Limits::NONE;
    let limits = Limits { amocrm_per_second: unlimited, telegram_per_second_per_chat: unlimited, ..Limits::default() };
    let worker = WorkerOptions { concurrency: 1, poll: Duration::from_millis(50), ..WorkerOptions::default() };
    let (app, _, owner) = TestApp::build().workers(2).worker(worker).limits(limits).start().await;
    if app.database().is_embedded() {
        return;
    }
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(owner.start_run(app.days()).await);
    }
    for id in &runs {
        let run = owner.ended_run(id).await;
        run.assert_completed();
        assert!(run.0["steps"].as_array().unwrap().iter().all(|step| step["attempts"] == 1), "{:#}", run.0);
    }
    let mut begun: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut workers = BTreeSet::new();
    for event in app.events().await.iter().filter(|event| event.event_type == "StepStarted") {
        let text = |name: &str| event.payload[name].as_str().unwrap().to_owned();
        *begun.entry((text("run_id"), text("step"))).or_default() += 1;
        workers.insert(text("worker"));
    }
    assert_eq!((begun.len(), begun.values().max()), (4 * 8, Some(&1)), "{begun:?}");
    assert_eq!(workers.len(), 2, "one of the workers did nothing");
    assert_eq!((app.simulators.row_count("synkro_reports"), app.simulators.telegram_messages().len()), (4, 4));
}
