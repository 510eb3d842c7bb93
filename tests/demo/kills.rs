//! SIGKILL at every step, and a start on the same folder after each: every run ends, and nothing is there twice.

use std::fs;
use std::thread;
use std::time::Instant;

use domain::job_run::Step;
use infrastructure::database::Database;
use testkit::TestDatabase;
use testkit::settings::{BACKEND, LONG, setting};

use crate::gate::{Fate, Gate};
use crate::outcome::{assert_as_undisturbed, undisturbed};
use crate::program::{Demo, writes};

/// What the stand-ins are called for at each step, in the order of a run. Building the package calls nobody.
const CALLS: [&[&str]; 8] = [
    &["amocrm", "/leads"],
    &["supabase", "POST", "synkro_deals"],
    &["radist", "/messages"],
    &["supabase", "POST", "synkro_chats"],
    &["supabase", "POST", "synkro_messages"],
    &["gemini", "generateContent"],
    &["supabase", "POST", "synkro_reports"],
    &["telegram", "sendPhoto"],
];

/// Every step is killed twice: once when its beginning is recorded and nothing of it is done, once when all of it is
/// done and its end is not recorded. The gate makes both moments exact.
///
/// Seen to fail with a takeover that begins anew although the notification was dispatched: the group got it twice.
#[tokio::test]
async fn killed_before_and_after_every_step_on_a_server() {
    if setting(BACKEND).as_deref() == Some("embedded") {
        return;
    }
    let database = TestDatabase::new().await;
    let demo = Demo::new(database.url());
    let mut gate = Gate::build(&database).await;
    for step in Step::ALL.map(Step::name) {
        for (event, fate) in [("StepStarted", Fate::Recorded), ("StepCompleted", Fate::Lost)] {
            gate.shut(event, step).await;
            let before = gate.recorded(event, Some(step)).await;
            gate.kill(demo.start(&[]), fate).await;
            let recorded = gate.recorded(event, Some(step)).await - before;
            assert_eq!(recorded, i64::from(fate == Fate::Recorded), "{event} of {step}");
        }
    }
    // The second run: its notification's dispatch is recorded, and nothing was sent.
    gate.shut("StepDispatched", "notify").await;
    gate.kill(demo.start(&[]), Fate::Recorded).await;

    let printed = demo.result();
    assert_as_undisturbed(&demo, &printed, &undisturbed(), &[1]);
    // The first kill at each step cost its attempt, and so did the second one, except where the message had been sent.
    assert_eq!(gate.recorded("StepLost", None).await, 15);
    assert_eq!(gate.recorded("StepUncertain", None).await, 2);
    assert_eq!(gate.recorded("RunCompleted", None).await, 2);
    assert_eq!(gate.recorded("ReportPublished", None).await, 2);
    let attempts = |step: usize| printed["run"]["steps"][step]["attempts"].as_u64();
    assert_eq!((0..8).map(attempts).collect::<Vec<_>>(), [[Some(3); 7].as_slice(), &[Some(2)]].concat());
    assert_eq!(printed["run"]["steps"][7]["status"], "uncertain");
}

/// The embedded database keeps what it acknowledged. A stand-in is called in the middle of a step.
#[tokio::test]
async fn killed_at_every_steps_call_with_the_embedded_database() {
    let demo = Demo::new(None);
    for call in CALLS {
        let written = fs::metadata(demo.journal()).map_or(0, |file| file.len());
        let mut program = demo.start(&[]);
        assert!(writes(&mut program, &demo.journal(), written, call), "{call:?} never came");
        program.kill();
    }
    let printed = demo.result();
    assert_as_undisturbed(&demo, &printed, &undisturbed(), &[1, 2]);
    let cut = cut_attempts(&demo).await;
    assert!(cut >= 4, "only {cut} of {} kills met an attempt in progress", CALLS.len());
}

/// A step is said to be completed soon after its end is recorded.
#[tokio::test]
async fn killed_after_every_step_with_the_embedded_database() {
    let demo = Demo::new(None);
    for step in Step::ALL {
        let mut program = demo.start(&[]);
        assert!(program.says(&format!("step {}/8 {} completed", step.number(), step.name())));
        program.kill();
    }
    let printed = demo.result();
    assert_as_undisturbed(&demo, &printed, &undisturbed(), &[1, 2]);
    assert_eq!(demo.result(), printed, "a start after the end changed something");
}

#[tokio::test]
async fn killed_at_random_with_the_embedded_database() {
    let kills = if setting(LONG).is_some() { 50 } else { 3 };
    let started = Instant::now();
    let expected = undisturbed();
    let whole = started.elapsed();
    let demo = Demo::new(None);
    for number in 1..=kills {
        let mut program = demo.start(&[]);
        // Multiples of the golden ratio spread the moments over a whole demo's time, without dice.
        thread::sleep(whole.mul_f64((f64::from(number) * 0.618_034).fract()));
        if program.has_ended() {
            assert_as_undisturbed(&demo, &program.end().json(), &expected, &[0, 1, 2]);
            fs::remove_dir_all(demo.data_dir()).unwrap();
        } else {
            program.kill();
        }
    }
    assert_as_undisturbed(&demo, &demo.result(), &expected, &[0, 1, 2]);
}

/// Attempts that the log says were cut off.
async fn cut_attempts(demo: &Demo) -> i64 {
    let database = Database::embedded(&demo.data_dir().join("postgres")).await.unwrap();
    sqlx::query_scalar("select count(*) from events where event_type in ('StepLost', 'StepUncertain')")
        .fetch_one(database.pool())
        .await
        .unwrap()
}
