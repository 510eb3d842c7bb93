//! A process that is stopped for longer than any lease, while another one goes on.

use std::collections::HashMap;
use std::time::Duration;

use application::ports::commands::LogPosition;
use application::ports::read_models::Progress;
use sqlx::PgPool;
use testkit::TestDatabase;
use testkit::engine::{Dice, PostgresServer, assert_whole};
use testkit::settings::{LONG, setting};
use tokio_util::sync::CancellationToken;

use crate::loader::Loader;

/// Longer than any lease.
const PAUSE: Duration = Duration::from_secs(6);

/// Longer than a session may stand still in a transaction; after it the read models of the others go on.
const LONG_PAUSE: Duration = Duration::from_secs(36);

/// How long the read models may take to catch up with what they were held back from.
const PATIENCE: Duration = Duration::from_mins(1);

/// Before and after the pause both work.
const TOGETHER: Duration = Duration::from_millis(1_500);

/// A process that is stopped in the middle of a transaction holds all readers of its server back, so this test has a
/// server of its own.
///
/// Seen to fail: with a checkpoint that is moved without being compared, it went back; without the server's time limit
/// for transactions that stand still, a long pause held the read models back.
#[tokio::test]
async fn one_that_was_stopped_for_long_overwrites_nothing_when_it_goes_on() {
    let pauses = if setting(LONG).is_some() { 12 } else { 1 };
    let server = PostgresServer::start();
    let test = TestDatabase::on(server.url()).await;
    let url = test.url().unwrap();
    let mut dice = Dice::of_test();
    let mut loaders = [Loader::start(&url, dice.roll()), Loader::start(&url, dice.roll())];
    for loader in &mut loaders {
        loader.goes_beyond(0).await;
    }
    let enough = CancellationToken::new();
    let watcher = tokio::spawn(watch(test.pool().clone(), enough.clone()));
    for number in 1..=pauses {
        tokio::time::sleep(dice.between(TOGETHER / 2, TOGETHER)).await;
        let [stopped, other] = &mut loaders;
        let length = if number % 4 == 0 { LONG_PAUSE } else { PAUSE };
        pause(&test, stopped, other, length).await;
        loaders.reverse();
    }
    tokio::time::sleep(TOGETHER).await;
    let mut acknowledged = Vec::new();
    for loader in loaders {
        acknowledged.extend(loader.end().await.0);
    }
    enough.cancel();
    let moves = watcher.await.unwrap();
    assert!(moves > 20, "the checkpoints were seen to move only {moves} times");
    assert_whole(&test, &acknowledged).await;
}

/// Stops one for long and lets it go on. The other one's commits never wait for it, and its projections not for ever.
async fn pause(test: &TestDatabase, stopped: &mut Loader, other: &mut Loader, length: Duration) {
    stopped.signal("STOP");
    // What it had said before is read by now.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let silent = stopped.acknowledged();
    let mut last = None;
    for _ in 0..10 {
        let working = other.acknowledged();
        tokio::time::sleep(length / 10).await;
        other.goes_beyond(working).await;
        last = last.or(test.last_position().await);
    }
    if length == LONG_PAUSE {
        let passed = test.checkpoints().passed(last.unwrap(), PATIENCE).await;
        assert!(passed.unwrap(), "a stopped process holds the read models back for ever");
    }
    assert_eq!(stopped.acknowledged(), silent, "a stopped process does nothing");
    stopped.signal("CONT");
    stopped.goes_beyond(silent).await;
}

/// Looks at all checkpoints all the time; none may ever stand before where it was seen. Returns how many moves it saw.
async fn watch(pool: PgPool, enough: CancellationToken) -> u64 {
    let mut seen: HashMap<String, LogPosition> = HashMap::new();
    let mut moves = 0;
    while !enough.is_cancelled() {
        let rows: Vec<(String, i32, i64, i64)> =
            sqlx::query_as("select name, generation, tx::text::bigint, position from projection_checkpoints")
                .fetch_all(&pool)
                .await
                .unwrap();
        for (name, generation, tx, position) in rows {
            let now = LogPosition { generation, tx: tx.cast_unsigned(), position };
            let before = seen.insert(name.clone(), now).unwrap_or(LogPosition::BEGINNING);
            assert!(now >= before, "the checkpoint of {name} went back from {before} to {now}");
            moves += u64::from(now > before);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    moves
}
