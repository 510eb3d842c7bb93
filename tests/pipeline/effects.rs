//! Effects outside: those that are repeated leave no double, the one that cannot be repeated is not.

use domain::integration::{IntegrationKind, IntegrationSettings};
use serde_json::json;
use simulator::{FaultKind, Service};
use testkit::TestApp;

const TABLES: [&str; 4] = ["synkro_deals", "synkro_chats", "synkro_messages", "synkro_reports"];

fn rows(app: &TestApp) -> [usize; 4] {
    TABLES.map(|table| app.simulators.row_count(table))
}

/// Seen to fail with a plain insert instead of an upsert: the repeated write met its own rows.
#[tokio::test]
async fn a_write_whose_answer_is_lost_is_repeated_without_doubles() {
    let (app, _, owner) = TestApp::start().await;
    for table in TABLES {
        app.fault(Service::Supabase, Some(table), FaultKind::DropAnswer, Some(1));
    }
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    let tries = ["save_deals", "save_chats", "persist_report"].map(|step| run.attempts(step));
    assert_eq!(tries, [2, 3, 2], "{:#}", run.0);
    let told =
        [run.count("fetch_deals", "deals"), run.count("fetch_chats", "chats"), run.count("fetch_chats", "messages")];
    let messages = app.dialogues.message_count() as u64;
    assert_eq!(told, [12, 12, messages]);
    assert_eq!(rows(&app).map(|rows| rows as u64), [12, 12, messages, 1]);
}

/// Seen to fail with a step that fails, and so is repeated, where its effect is not known.
#[tokio::test]
async fn a_notification_whose_answer_is_lost_is_uncertain_and_sent_again_by_a_person_only() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Telegram, None, FaultKind::DropAnswer, Some(1));
    let run = owner.run_report(app.days()).await;
    assert_eq!((run.status(), run.step_status("notify")), ("completed", "uncertain"), "{:#}", run.0);
    // Time for many retries of the test's policy and for several looks at the queue.
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(app.calls(Service::Telegram, "sendPhoto").len(), 1);
    assert_eq!(app.simulators.telegram_messages().len(), 1);

    let path = format!("/api/v1/runs/{}/notification", run.id());
    owner.post(&path, &serde_json::Value::Null).await.expect(202);
    let again = owner.run_until(run.id(), |run| run.step_status("notify") == "completed").await;
    again.assert_completed();
    assert_eq!((again.attempts("notify"), app.simulators.telegram_messages().len()), (2, 2));
    owner.post(&path, &serde_json::Value::Null).await.problem(409, "run.nothing_to_resend");
    assert_eq!(app.simulators.telegram_messages().len(), 2);
}

#[tokio::test]
async fn a_notification_whose_answer_makes_no_sense_is_uncertain() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Telegram, None, FaultKind::MalformedBody, Some(1));
    let run = owner.run_report(app.days()).await;
    assert_eq!((run.status(), run.step_status("notify")), ("completed", "uncertain"), "{:#}", run.0);
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_notification_that_certainly_did_not_leave_is_repeated() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Telegram, None, super::accounts::refusal(429, &[]), Some(1));
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    assert_eq!((run.attempts("notify"), app.simulators.telegram_messages().len()), (2, 1));
}

#[tokio::test]
async fn a_notification_that_failed_can_be_sent_again() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Telegram, None, super::accounts::refusal(403, &[]), None);
    let run = owner.run_report(app.days()).await;
    run.assert_failed_at("notify");
    app.simulators.faults().clear();
    owner.post(&format!("/api/v1/runs/{}/notification", run.id()), &serde_json::Value::Null).await.expect(202);
    owner.ended_run(run.id()).await.assert_completed();
    assert_eq!(app.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_group_that_has_moved_is_followed_and_the_settings_are_corrected() {
    let (app, _, owner) = TestApp::start().await;
    let IntegrationSettings::Telegram { base_url, chat_id } = app.settings(IntegrationKind::Telegram) else {
        panic!("these are Telegram's settings");
    };
    let former = IntegrationSettings::Telegram { base_url, chat_id: "-5".into() };
    app.connect(former, app.secret(IntegrationKind::Telegram)).await;
    let body = json!({
        "ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
        "parameters": {"migrate_to_chat_id": chat_id.parse::<i64>().unwrap()},
    });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let moved = FaultKind::Status { status: 400, body: body.to_string(), headers };
    app.fault(Service::Telegram, Some("sendPhoto"), moved, Some(1));
    for _ in 0..2 {
        owner.run_report(app.days()).await.assert_completed();
    }
    assert_eq!(app.simulators.telegram_messages().len(), 2);
    let to_the_former =
        app.calls(Service::Telegram, "sendPhoto").iter().filter(|call| call.status == Some(400)).count();
    assert_eq!(to_the_former, 1, "the second run writes to the new number at once");
}

/// The report of one run is one message: the chart, and the text as its caption.
#[tokio::test]
async fn a_report_comes_with_a_chart() {
    let (app, _, owner) = TestApp::start().await;
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    assert_eq!((run.count("notify", "messages"), run.count("notify", "pictures")), (1, 1));
    let sent = app.simulators.telegram_messages();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].photo.as_ref().is_some_and(|photo| photo.width == 1_080 && photo.height > 800), "{sent:?}");
    assert!(sent[0].text.lines().count() > 4, "{}", sent[0].text);
}

#[tokio::test]
async fn a_group_that_takes_no_pictures_gets_the_text_and_the_run_shows_it() {
    let (app, _, owner) = TestApp::start().await;
    let body = json!({
        "ok": false, "error_code": 400, "description": "Bad Request: not enough rights to send photos to the chat",
    });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let refused = FaultKind::Status { status: 400, body: body.to_string(), headers };
    app.fault(Service::Telegram, Some("sendPhoto"), refused, None);
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    assert_eq!((run.count("notify", "messages"), run.count("notify", "pictures")), (1, 0));
    let sent = app.simulators.telegram_messages();
    assert_eq!((sent.len(), app.calls(Service::Telegram, "sendPhoto").len()), (1, 1));
    let text = &sent[0].text;
    let told = ["Telegram refused the chart. If", "check that the bot may send photos to this group."];
    assert!(text.contains(told[0]) && text.ends_with(told[1]), "{text}");
}
