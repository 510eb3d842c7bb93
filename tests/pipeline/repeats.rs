//! Doing it again: nothing doubles.

use std::collections::BTreeSet;

use simulator::Service;
use testkit::TestApp;

#[tokio::test]
async fn a_second_run_over_the_same_days_adds_a_report_and_nothing_else() {
    let (app, _, owner) = TestApp::start().await;
    let first = owner.run_report(app.days()).await;
    first.assert_completed();
    let data =
        |app: &TestApp| ["synkro_deals", "synkro_chats", "synkro_messages"].map(|table| app.simulators.rows(table));
    let before = data(&app);
    let keys: BTreeSet<String> =
        before[2].iter().map(|row| format!("{} {}", row["chat_id"], row["message_id"])).collect();
    assert_eq!(keys.len(), app.dialogues.message_count(), "message ids are not unique");

    let second = owner.run_report(app.days()).await;
    second.assert_completed();
    let without_time = |rows: [Vec<serde_json::Value>; 3]| {
        rows.map(|rows| {
            let stripped = rows.into_iter().map(|mut row| {
                row.as_object_mut().unwrap().retain(|column, _| column != "synced_at");
                row
            });
            stripped.collect::<Vec<_>>()
        })
    };
    assert_eq!(without_time(data(&app)), without_time(before));
    assert_eq!((app.simulators.row_count("synkro_reports"), app.simulators.telegram_messages().len()), (2, 2));
    assert_eq!(owner.get("/api/v1/reports").await.expect(200)["items"].as_array().unwrap().len(), 2);
}

/// The same question was answered and paid for already: the second run asks nothing.
#[tokio::test]
async fn a_question_that_was_paid_for_is_not_asked_again() {
    let (app, _, owner) = TestApp::start().await;
    owner.run_report(app.days()).await.assert_completed();
    let asked = app.calls(Service::Gemini, "generateContent").len();
    assert_eq!(asked, 1);
    owner.run_report(app.days()).await.assert_completed();
    assert_eq!(app.calls(Service::Gemini, "generateContent").len(), asked);
}

#[tokio::test]
async fn days_without_anything_make_an_honest_empty_report() {
    let (app, _, owner) = TestApp::start().await;
    let day = app.days().0 - chrono::TimeDelta::days(400);
    let run = owner.run_report((day, day)).await;
    run.assert_completed();
    assert_eq!(run.count("build_package", "dialogues"), 0);
    let reports = owner.get("/api/v1/reports").await.expect(200);
    assert_eq!(reports["items"][0]["metrics"]["messages"], 0);
}
