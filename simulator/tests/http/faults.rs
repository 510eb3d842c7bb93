use std::time::{Duration, Instant};

use serde_json::json;
use simulator::{Fault, FaultKind, Service};

use crate::{Stage, header, json as body, status};

fn inject(stage: &Stage, service: Service, path: Option<&str>, kind: FaultKind, times: Option<u32>) {
    stage.simulators.faults().inject(Fault { service, path_contains: path.map(Into::into), kind, times });
}

#[tokio::test]
async fn a_forced_status_befalls_as_many_calls_as_it_says() {
    let stage = Stage::unlimited().await;
    let kind =
        FaultKind::Status { status: 429, body: "slow down".into(), headers: vec![("Retry-After".into(), "7".into())] };
    inject(&stage, Service::Amocrm, Some("/leads"), kind, Some(2));
    assert_eq!(status(stage.amocrm("/api/v4/account")).await, 200);
    for _ in 0..2 {
        let refused = stage.amocrm("/api/v4/leads").send().await.unwrap();
        assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, Some("7")));
        assert_eq!(refused.text().await.unwrap(), "slow down");
    }
    assert_eq!(status(stage.amocrm("/api/v4/leads")).await, 200);
}

#[tokio::test]
async fn broken_bodies_are_no_json_or_end_too_early() {
    let stage = Stage::unlimited().await;
    inject(&stage, Service::Radist, None, FaultKind::MalformedBody, Some(1));
    let malformed = stage.radist("/companies/").send().await.unwrap();
    assert_eq!(malformed.status(), 200);
    assert!(malformed.json::<serde_json::Value>().await.unwrap_err().is_decode());

    inject(&stage, Service::Radist, None, FaultKind::TruncatedBody, Some(1));
    let truncated = stage.radist("/companies/").send().await.unwrap();
    assert!(truncated.content_length().unwrap() > 0);
    assert!(truncated.bytes().await.is_err());
    assert_eq!(status(stage.radist("/companies/")).await, 200);
}

#[tokio::test]
async fn a_reset_does_nothing_and_a_dropped_answer_did_everything() {
    let stage = Stage::unlimited().await;
    inject(&stage, Service::Supabase, None, FaultKind::Reset, Some(1));
    assert!(stage.upsert(&json!([{"id": 1, "name": "a"}])).send().await.is_err());
    assert_eq!(stage.simulators.row_count("leads"), 0);

    inject(&stage, Service::Supabase, None, FaultKind::DropAnswer, Some(1));
    assert!(stage.upsert(&json!([{"id": 1, "name": "a"}])).send().await.is_err());
    assert_eq!(stage.simulators.row_count("leads"), 1);

    inject(&stage, Service::Telegram, None, FaultKind::DropAnswer, Some(1));
    let message = json!({"chat_id": stage.accounts.telegram_chat_ids[0], "text": "x"});
    assert!(stage.telegram("sendMessage").json(&message).send().await.is_err());
    assert_eq!(stage.simulators.telegram_messages().len(), 1);

    let unanswered = stage.simulators.calls().iter().filter(|call| call.status.is_none()).count();
    assert_eq!(unanswered, 3);
    assert_eq!(stage.upsert(&json!([{"id": 1, "name": "a"}])).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_delay_only_delays_and_clearing_ends_all_faults() {
    let stage = Stage::unlimited().await;
    inject(&stage, Service::Radist, None, FaultKind::Delay(Duration::from_millis(200)), None);
    let started = Instant::now();
    body(stage.radist("/companies/")).await;
    assert!(started.elapsed() >= Duration::from_millis(200));
    stage.simulators.faults().clear();
    let started = Instant::now();
    body(stage.radist("/companies/")).await;
    assert!(started.elapsed() < Duration::from_millis(200));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_undo_what_was_done() {
    let stage = Stage::unlimited().await;
    inject(&stage, Service::Supabase, None, FaultKind::Delay(Duration::from_secs(30)), Some(1));
    let impatient = stage.upsert(&json!([{"id": 1, "name": "a"}])).timeout(Duration::from_millis(200));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert_eq!(stage.simulators.row_count("leads"), 1);
    assert_eq!(stage.simulators.calls().pop().unwrap().status, Some(201));
}
