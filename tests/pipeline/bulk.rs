//! Large companies: what is fetched is written page by page, and no faster than it is taken.

use std::time::Duration;

use domain::metrics::{Dialogue, Outcome, Sender, Utterance, compute};
use serde_json::json;
use simulator::{FaultKind, Limits, Service, Size, Speaker};
use testkit::company::Company;
use testkit::{Actor, RunAnswer, TestApp};

/// Ten pages of deals and 25 of chats: several times what a part of the staging store holds.
const SIZE: Size = Size { dialogues: 2_500, messages: 10_000, seed: 7 };

/// Chats that a staged part of 512 KB holds at most: four messages each in the mean, and no message is less than 128 bytes of
/// JSON. None is longer than a page, so each takes one call.
const CHATS_OF_A_PART: usize = 512 * 1024 / (4 * 128);

/// How long nothing may be asked for while nothing is taken.
const STALL: Duration = Duration::from_millis(900);

async fn large() -> (TestApp, Actor) {
    let limits = Limits { amocrm_per_second: Limits::NONE, gemini_per_minute: Limits::NONE, ..Limits::default() };
    let (app, _, owner) = TestApp::build().dialogues(300).size(SIZE).limits(limits).start().await;
    (app, owner)
}

/// How often a service was asked for this path, once it is asked for nothing any more. Fails where that never ends.
async fn calls_until_stalled(app: &TestApp, service: Service, path: &str) -> usize {
    let mut before = 0;
    for _ in 0..60 {
        tokio::time::sleep(STALL).await;
        let calls = app.calls(service, "").len();
        if calls > 0 && calls == before {
            return app.calls(service, path).len();
        }
        before = calls;
    }
    panic!("{} is asked on and on", service.name());
}

fn done(step: &'static str) -> impl Fn(&RunAnswer) -> bool {
    move |run| run.step_status(step) == "completed"
}

/// Another session holds the table, so no part is taken: no more is asked for than what one part and the pages on their way
/// hold. Only the list of chats is read to its end before, and its front again.
#[tokio::test]
async fn nothing_is_fetched_while_the_staging_store_takes_nothing() {
    let (app, owner) = large().await;
    if app.database().is_embedded() {
        return;
    }
    let mut lock = app.database().pool().begin().await.unwrap();
    sqlx::query("lock table staging in share mode").execute(&mut *lock).await.unwrap();
    let id = owner.start_run(app.days()).await;
    let pages = calls_until_stalled(&app, Service::Amocrm, "/api/v4/leads?").await;
    assert!((1..=8).contains(&pages), "{pages} pages of deals");
    lock.rollback().await.unwrap();
    owner.run_until(&id, done("fetch_deals")).await;

    let mut lock = app.database().pool().begin().await.unwrap();
    sqlx::query("lock table staging in share mode").execute(&mut *lock).await.unwrap();
    owner.run_until(&id, |run| run.step_status("fetch_chats") == "running").await;
    let pages = calls_until_stalled(&app, Service::Radist, "/with_contacts/").await;
    let messages = app.calls(Service::Radist, "/messages/").len();
    assert_eq!(pages, 26, "pages of chats");
    assert!((1..=CHATS_OF_A_PART).contains(&messages), "{messages} pages of messages");
    lock.rollback().await.unwrap();

    owner.run_until(&id, done("fetch_chats")).await;
    owner.run_until(&id, done("save_chats")).await;
    let run = owner.run_until(&id, done("build_package")).await;
    assert_eq!((run.count("fetch_deals", "deals"), run.count("fetch_chats", "messages")), (2_500, 10_000));
    assert_eq!((run.count("save_deals", "deals"), run.count("save_chats", "messages")), (2_500, 10_000));
    assert_eq!((run.count("build_package", "dialogues"), run.count("build_package", "messages")), (2_500, 10_000));
    let rows = ["synkro_deals", "synkro_contacts", "synkro_chats", "synkro_messages"];
    assert_eq!(rows.map(|table| app.simulators.row_count(table)), [2_500, 2_500, 2_500, 10_000]);
}

/// Two dialogues of several hundred messages each, read two at a time, newest page first: their pieces lie in each other's way.
#[tokio::test]
async fn dialogues_of_several_pages_are_put_together_again() {
    let size = Size { dialogues: 2, messages: 700, seed: 3 };
    let (app, _, owner) = TestApp::build().size(size).start().await;
    let pages = |dialogue: &simulator::Dialogue| dialogue.messages.len().div_ceil(100);
    assert!(app.dialogues.dialogues().iter().all(|dialogue| pages(dialogue) >= 3), "too short to say anything");
    let run = owner.run_report(app.days()).await;
    run.assert_completed();

    let spoken = app.dialogues.dialogues().iter().map(|dialogue| Dialogue {
        id: dialogue.id.clone(),
        agent: None,
        outcome: Outcome::Open,
        language: String::new(),
        messages: dialogue.messages.iter().map(utterance).collect(),
    });
    let expected = json!(compute(&spoken.collect::<Vec<_>>(), Company::day().time_zone));
    let id = owner.get("/api/v1/reports").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let report = owner.get(&format!("/api/v1/reports/{id}")).await.expect(200);
    let reported = &report["report"]["metrics"];
    for number in ["messages", "customer_messages", "first_response", "awaiting_reply", "unanswered", "hours"] {
        assert_eq!(reported[number], expected[number], "{number}");
    }
    assert!(expected["first_response"]["p90_seconds"].as_u64().is_some());
}

fn utterance(message: &simulator::Message) -> Utterance {
    let from = match message.from {
        Speaker::Customer => Sender::Customer,
        Speaker::Agent => Sender::Agent,
    };
    Utterance { at: message.at, from, text: message.text.clone() }
}

#[tokio::test]
async fn rows_that_vanish_fail_the_step_that_wrote_them() {
    for (table, step) in [
        ("synkro_deals", "save_deals"),
        ("synkro_contacts", "save_deals"),
        ("synkro_chats", "save_chats"),
        ("synkro_messages", "save_chats"),
    ] {
        let (app, _, owner) = TestApp::start().await;
        let taken = FaultKind::Status { status: 201, body: String::new(), headers: Vec::new() };
        app.fault(Service::Supabase, Some(&format!("POST /rest/v1/{table}")), taken, None);
        let run = owner.run_report(app.days()).await;
        run.assert_failed_at(step);
        let (message, advice) = run.error(step);
        assert!(message.contains("read back") && advice.contains("triggers"), "{table}: {message} {advice}");
        assert_eq!(run.attempts(step), 1, "{table}");
    }
}
