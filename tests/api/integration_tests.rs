//! Trying out what is connected, and writing what was found to the company's storage.

use std::time::{Duration, Instant};

use application::RequestContext;
use domain::integration::IntegrationKind;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, Answer, TestApp};

const ALL: &str = "/api/v1/integrations";
const TELEGRAM_TEST: &str = "/api/v1/integrations/telegram/test";

async fn tried(owner: &Actor, kind: &str, body: Value) -> Value {
    owner.post(&format!("{ALL}/{kind}/test"), &body).await.expect(200)
}

async fn write(owner: &Actor, kind: &str) -> Answer {
    owner.post(&format!("{ALL}/{kind}/write"), &Value::Null).await
}

#[tokio::test]
async fn the_last_deals_are_shown_written_and_read_back() {
    let (app, _, owner) = TestApp::start().await;
    write(&owner, "amocrm").await.problem(409, "integration.nothing_tried");
    let test = tried(&owner, "amocrm", json!({})).await;
    assert_eq!((&test["works"], &test["counts"]), (&json!(true), &json!({"deals": 3, "contacts": 3})));
    let deals = test["deals"].as_array().unwrap();
    assert_eq!(deals.len(), 3);
    let times: Vec<_> = deals.iter().map(|deal| deal["updated_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older), "{times:?}");
    assert!(deals[0]["name"].is_string() && deals[0]["manager"].is_string(), "{test:#}");
    assert!(deals[0]["contacts"][0]["phones"][0].as_str().unwrap().starts_with('+'), "{test:#}");
    assert_eq!(app.simulators.row_count("synkro_deals"), 0, "nothing is written before somebody says so");

    for _ in 0..2 {
        let written = write(&owner, "amocrm").await.expect(200);
        assert_eq!((&written["works"], &written["written"]), (&json!(true), &json!({"deals": 3, "contacts": 3})));
        assert_eq!(written["confirmed"], written["written"]);
        assert_eq!(app.simulators.row_count("synkro_deals"), 3);
    }
    let event = app.event_shown(&owner, "event_type=IntegrationWritten").await;
    assert_eq!(event["fields"]["confirmed"], json!({"deals": 3, "contacts": 3}));
}

#[tokio::test]
async fn dialogues_are_found_by_the_phones_of_the_last_deals() {
    let (app, _, owner) = TestApp::start().await;
    let test = tried(&owner, "radist", json!({"trial": "dialogues"})).await;
    let chats = test["chats"].as_array().unwrap();
    assert_eq!((&test["works"], chats.len()), (&json!(true), 3), "{test:#}");
    let phones: Vec<&Value> =
        test["deals"].as_array().unwrap().iter().map(|deal| &deal["contacts"][0]["phones"][0]).collect();
    for chat in chats {
        assert!(phones.contains(&&chat["phone"]) && chat["messages"].as_u64().unwrap() > 0, "{chat:#}");
    }
    let written = write(&owner, "radist").await.expect(200);
    assert_eq!(written["confirmed"], json!({"chats": 3, "messages": test["counts"]["messages"]}), "{written:#}");
    assert_eq!(app.simulators.row_count("synkro_messages") as u64, test["counts"]["messages"].as_u64().unwrap());
}

/// Seen to fail: with what was written taken for what is there.
#[tokio::test]
async fn rows_that_are_not_there_afterwards_are_told() {
    let (app, _, owner) = TestApp::start().await;
    tried(&owner, "amocrm", json!({})).await;
    let dropped = FaultKind::Status { status: 201, body: String::new(), headers: Vec::new() };
    app.fault(Service::Supabase, Some("synkro_contacts"), dropped, Some(1));
    let written = write(&owner, "amocrm").await.expect(200);
    assert_eq!((&written["works"], &written["confirmed"]), (&json!(false), &json!({"deals": 3, "contacts": 0})));
    assert!(written["reason"].as_str().unwrap().contains("read back"), "{written:#}");
    app.simulators.faults().clear();
    assert_eq!(write(&owner, "amocrm").await.expect(200)["works"], true);
}

#[tokio::test]
async fn an_analysis_of_the_prompt_is_shown_and_kept() {
    let (app, _, owner) = TestApp::start().await;
    let test = tried(&owner, "ai", json!({})).await;
    assert_eq!((&test["works"], &test["counts"]["dialogues"]), (&json!(true), &json!(3)), "{test:#}");
    assert!(test["counts"]["input_tokens"].as_u64().unwrap() > 0, "{test:#}");
    let headline = test["answer"]["headline"].as_str().unwrap();
    let kept = owner.get(&format!("{ALL}/ai/tests")).await.expect(200);
    assert!(kept["items"][0]["answer"].as_str().unwrap().starts_with(&format!("# {headline}")), "{kept:#}");
    assert_eq!((&kept["items"][0]["trial"], &kept["items"][0]["version"]), (&json!("analysis"), &json!(1)));
    write(&owner, "ai").await.problem(409, "integration.writes_nothing");
    // The message on it is shown with all data to the owner only by their right to it.
    assert!(
        app.event_shown(&owner, "event_type=IntegrationTried").await["summary"].as_str().unwrap().contains("analysis")
    );
}

#[tokio::test]
async fn a_message_and_a_short_report_reach_the_group_once_each() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/telegram/test");
    let send = || owner.request(Method::POST, &path).header("Idempotency-Key", "hello").json(&json!({}));
    let first = owner.send(send()).await.expect(200);
    let repeat = owner.send(send()).await;
    assert_eq!(repeat.header("idempotent-replayed"), Some("true"));
    assert_eq!((repeat.expect(200), app.simulators.telegram_messages().len()), (first.clone(), 1));
    assert_eq!(first["message_ids"].as_array().unwrap().len(), 1, "{first:#}");

    let report = tried(&owner, "telegram", json!({"trial": "report"})).await;
    assert_eq!(report["counts"], json!({"dialogues": 3, "messages": 1}), "{report:#}");
    let messages = app.simulators.telegram_messages();
    assert!(messages.last().unwrap().text.contains("Dialogues: 3"), "{messages:?}");
    let unknown = owner.post(&path, &json!({"trial": "song"})).await;
    assert_eq!(unknown.bad_fields(), ["trial"]);
}

#[tokio::test]
async fn a_service_that_fails_is_an_outcome_that_is_told_and_kept() {
    let (app, _, owner) = TestApp::start().await;
    let refusal = FaultKind::Status { status: 401, body: "{}".into(), headers: Vec::new() };
    app.fault(Service::Amocrm, None, refusal, Some(1));
    let test = tried(&owner, "radist", json!({})).await;
    assert_eq!((&test["works"], &test["deals"]), (&json!(false), &json!([])));
    let reason = test["reason"].as_str().unwrap();
    assert!(reason.contains("amoCRM") && reason.contains("Settings → amoCRM"), "{reason}");
    let kept = owner.get(&format!("{ALL}/radist/tests")).await.expect(200);
    assert_eq!(kept["items"][0]["reason"], reason);
    write(&owner, "radist").await.problem(409, "integration.nothing_tried");

    // New settings have not been tried yet.
    tried(&owner, "amocrm", json!({})).await;
    let moved =
        json!({"settings": {"base_url": app.simulators.endpoints().amocrm}, "secrets": {"access_token": "other"}});
    assert_eq!(owner.put(&format!("{ALL}/{}", IntegrationKind::Amocrm.name()), &moved).await.status, 200);
    write(&owner, "amocrm").await.problem(409, "integration.nothing_tried");
}

/// Asks for a message to the group under one key.
async fn send_message(owner: &Actor) -> Answer {
    let request = owner.request(Method::POST, TELEGRAM_TEST).header("Idempotency-Key", "slow");
    owner.send(request.json(&json!({}))).await
}

/// Lets the messenger send the next message at once, and say so only later.
fn answer_late(app: &TestApp) {
    app.fault(Service::Telegram, Some("sendMessage"), FaultKind::Delay(Duration::from_secs(6)), Some(1));
}

/// Waits until a message is in the group.
async fn message_arrives(app: &TestApp) {
    while app.simulators.telegram_messages().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_repeat_while_the_first_is_under_way_sends_nothing() {
    let (app, _, owner) = TestApp::start().await;
    answer_late(&app);
    let (first, meanwhile) = tokio::join!(send_message(&owner), async {
        message_arrives(&app).await;
        send_message(&owner).await
    });
    meanwhile.problem(409, "integration.trial_under_way");
    let repeat = send_message(&owner).await;
    assert_eq!((repeat.header("idempotent-replayed"), repeat.expect(200)), (Some("true"), first.expect(200)));
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

/// The server may drop a request whose asker has gone, or not: here it is dropped for certain. Seen to fail: without a task of
/// its own.
#[tokio::test]
async fn what_was_sent_is_recorded_though_nobody_waits_for_the_answer() {
    let (app, _, owner) = TestApp::start().await;
    answer_late(&app);
    let (system, id) = (app.system(), app.company.tenant_id);
    let context = RequestContext::for_system("test", id, system.ids.next(), id.uuid());
    tokio::select! {
        report = system.state.integrations.test.run(&context, "telegram", Some("message")) => {
            panic!("ended before the messenger had answered: {report:?}")
        }
        () = message_arrives(&app) => {}
    }
    let deadline = Instant::now() + Duration::from_mins(1);
    let tried = loop {
        let kept = owner.get(&format!("{ALL}/telegram/tests")).await.expect(200);
        if let Some(tried) = kept["items"].get(0) {
            break tried.clone();
        }
        assert!(Instant::now() < deadline, "what was sent is not recorded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&tried["trial"], &tried["works"]), (&json!("message"), &json!(true)), "{tried:#}");
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn what_was_sent_is_recorded_though_other_settings_were_saved_meanwhile() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/telegram");
    let saved = owner.get(&path).await.expect(200);
    let other = json!({"settings": saved["settings"], "secrets": {"bot_token": "1:another"}});
    answer_late(&app);
    let (sent, changed) = tokio::join!(send_message(&owner), async {
        message_arrives(&app).await;
        owner.put(&path, &other).await.expect(200)
    });
    assert_eq!((&sent.expect(200)["works"], &changed["check"]["works"]), (&json!(true), &json!(false)));
    let kept = owner.get(&format!("{path}/tests")).await.expect(200);
    assert_eq!((&kept["items"][0]["trial"], &kept["items"][0]["version"]), (&json!("message"), &json!(1)));
    let newest = owner.get(&path).await.expect(200);
    assert_eq!((&newest["version"], &newest["status"]), (&json!(2), &json!("red")), "it was not tried: {newest:#}");
}
