//! A process that is stopped for longer than any lease, while another one goes on.

use std::collections::HashMap;
use std::time::Duration;

use application::ports::commands::LogPosition;
use sqlx::PgPool;
use testkit::TestDatabase;
use testkit::engine::{Dice, PostgresServer, assert_whole};
use tokio_util::sync::CancellationToken;

use crate::loader::Loader;

/// Longer than any lease.
const PAUSE: Duration = Duration::from_secs(6);

/// Before and after the pause both work.
const TOGETHER: Duration = Duration::from_millis(1_500);

/// A process that is stopped in the middle of a transaction holds all readers of its server back, so this test has a
/// server of its own.
#[tokio::test]
async fn one_that_was_stopped_for_long_overwrites_nothing_when_it_goes_on() {
    let server = PostgresServer::start();
    let test = TestDatabase::on(server.url()).await;
    let url = test.url().unwrap();
    let mut dice = Dice::of_test();
    let length = PAUSE + 4 * TOGETHER;
    let mut stopped = Loader::start(&url, dice.roll(), length);
    let mut other = Loader::start(&url, dice.roll(), length);
    stopped.goes_beyond(0).await;
    other.goes_beyond(0).await;
    let enough = CancellationToken::new();
    let watcher = tokio::spawn(watch(test.pool().clone(), enough.clone()));
    tokio::time::sleep(dice.between(TOGETHER / 2, TOGETHER)).await;

    stopped.signal("STOP");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (silent, working) = (stopped.acknowledged(), other.acknowledged());
    tokio::time::sleep(PAUSE).await;
    assert_eq!(stopped.acknowledged(), silent, "a stopped process does nothing");
    other.goes_beyond(working).await;
    stopped.signal("CONT");
    stopped.goes_beyond(silent).await;

    let (mut acknowledged, _) = stopped.end().await;
    acknowledged.extend(other.end().await.0);
    enough.cancel();
    let moves = watcher.await.unwrap();
    assert!(moves > 100, "the checkpoints were seen to move only {moves} times");
    assert_whole(&test, &acknowledged).await;
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
