//! Rows and checkpoint move together, and no event is passed over.

use std::sync::Arc;
use std::time::Duration;

use application::ports::read_models::Progress;
use infrastructure::projections::{Projection, ProjectionRunner};
use infrastructure::read_models;
use sqlx::Acquire;
use testkit::TestDatabase;

use crate::event_log::commit;
use crate::fixtures::{count, until, until_someone_waits};
use crate::probe::{Fault, Probe};
use crate::story::Company;

const PATIENCE: Duration = Duration::from_secs(20);

async fn checkpoint(test: &TestDatabase, name: &str) -> (i64, i64) {
    sqlx::query_as("select tx::text::bigint, position from projection_checkpoints where name = $1")
        .bind(name)
        .fetch_one(test.pool())
        .await
        .unwrap()
}

/// Seen to fail: with the checkpoint moved outside of the transaction it stood at the end while there were no rows.
#[tokio::test]
async fn a_batch_that_fails_leaves_neither_rows_nor_a_moved_checkpoint() {
    let test = TestDatabase::new().await;
    let probe = Probe::over(&test, Fault::Raise("53200")).await;
    let projections: [Arc<dyn Projection>; 1] = [probe.clone()];
    test.appender().append(commit("a", 0, 5)).await.unwrap();
    until("the batch fails", async || test.runner().catch_up(&projections).await.is_err()).await;
    assert_eq!(count(test.pool(), "probe").await, 0, "the rows of the events before it are gone too");
    assert_eq!(checkpoint(&test, "probe").await, (0, 0));

    probe.mend();
    test.catch_up_with(&projections).await;
    assert_eq!(count(test.pool(), "probe").await, 5);
    let last = test.last_position().await.unwrap();
    assert_eq!(checkpoint(&test, "probe").await, (last.tx.cast_signed(), last.position));
}

/// Seen to fail: with every failure taken for one of the event the checkpoint moved on.
#[tokio::test]
async fn a_running_projection_waits_while_the_database_fails_and_goes_on_from_there() {
    let test = TestDatabase::new().await;
    let probe = Probe::over(&test, Fault::Raise("53200")).await;
    let projections: [Arc<dyn Projection>; 1] = [probe.clone()];
    test.appender().append(commit("a", 0, 5)).await.unwrap();
    let (runner, running) = (test.runner(), projections.clone());
    let running = tokio::spawn(async move { runner.run(&running).await });
    until("it fails", async || probe.failures() > 0).await;
    // Nobody passes what may succeed in a moment.
    test.appender().append(commit("b", 0, 2)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(count(test.pool(), "probe").await, 0);
    probe.mend();
    let last = test.last_position().await.unwrap();
    assert!(test.checkpoints_of(&projections).passed(last, PATIENCE).await.unwrap());
    assert_eq!(count(test.pool(), "probe").await, 7);
    assert_eq!(count(test.pool(), "parked_events").await, 0);
    running.abort();
}

/// Two processes run every projection while events come in. The probe's plain inserts and the audit's rows show that
/// each event was written by exactly one of them.
#[tokio::test]
async fn two_processes_write_every_row_once() {
    let test = TestDatabase::new().await;
    let probe = Probe::working_over(&test).await;
    let mut projections: Vec<Arc<dyn Projection>> = read_models::all();
    projections.push(probe.clone());
    // On PGlite the second runner is a task of the same process.
    let second = test.another_process().await.unwrap_or_else(|| test.database().clone());
    let runners = [test.database().clone(), second].map(|database| {
        let runner = ProjectionRunner::new(database, test.checkpoints(), test.log());
        let projections = projections.clone();
        tokio::spawn(async move {
            for _ in 0..30 {
                runner.catch_up(&projections).await.expect("no runner may fail because of the other one");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    });
    Company::new(&test, 1).live().await;
    for n in 0..20 {
        test.appender().append(commit(&format!("a{n}"), 0, 2)).await.unwrap();
    }
    for runner in runners {
        runner.await.unwrap();
    }
    test.catch_up_with(&projections).await;
    let events = count(test.pool(), "events").await;
    assert_eq!(count(test.pool(), "audit_entries").await, events);
    assert_eq!(count(test.pool(), "probe").await, events);
}

/// Two processes start for the first time at once: the one that comes second finds the checkpoint that the first one
/// is just making. Seen to fail while the row was inserted and read in one statement, whose snapshot was too old.
#[tokio::test]
async fn a_projection_s_first_start_may_happen_twice_at_once() {
    let test = TestDatabase::new().await;
    // One connection makes the row before the other one asks.
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let mut connection = other.pool().acquire().await.unwrap();
    let mut first = connection.begin().await.unwrap();
    sqlx::query("insert into projection_checkpoints (name) values ('probe')").execute(&mut *first).await.unwrap();
    let (runner, probe) = (test.runner(), Probe::working_over(&test).await);
    let second = tokio::spawn(async move {
        let projections: [Arc<dyn Projection>; 1] = [probe];
        runner.catch_up(&projections).await
    });
    until_someone_waits(&test).await;
    first.commit().await.unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_waits_for_a_position_is_told_when_it_is_passed() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).set_up().await;
    let (runner, checkpoints) = (test.runner(), test.checkpoints());
    let last = test.last_position().await.unwrap();
    let waiting = tokio::spawn(async move { checkpoints.passed(last, PATIENCE).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!waiting.is_finished(), "nothing has fed the read models yet");
    let running = tokio::spawn(async move { runner.run(&read_models::all()).await });
    assert!(waiting.await.unwrap());
    assert_eq!(count(test.pool(), "users").await, 1);
    running.abort();
}

#[tokio::test]
async fn whoever_waits_for_a_position_does_not_wait_longer_than_it_wants() {
    let test = TestDatabase::new().await;
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let last = test.last_position().await.unwrap();
    let patience = Duration::from_millis(60);
    let asked = tokio::time::Instant::now();
    assert!(!test.checkpoints().passed(last, patience).await.unwrap());
    assert!(asked.elapsed() >= patience);
    test.catch_up().await;
    assert!(test.checkpoints().passed(last, Duration::ZERO).await.unwrap());
}

/// All of them have to be there, not only the fastest.
#[tokio::test]
async fn a_position_is_passed_when_the_last_projection_has_passed_it() {
    let test = TestDatabase::new().await;
    test.appender().append(commit("a", 0, 1)).await.unwrap();
    let last = test.last_position().await.unwrap();
    let mut projections = read_models::all();
    let slowest = projections.pop().unwrap();
    test.catch_up_with(&projections).await;
    assert!(!test.checkpoints().passed(last, Duration::ZERO).await.unwrap());
    test.catch_up_with(&[slowest]).await;
    assert!(test.checkpoints().passed(last, Duration::ZERO).await.unwrap());
}
