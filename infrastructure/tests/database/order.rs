//! The log's global order and the horizon behind which it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::ports::commands::LogPosition;
use infrastructure::event_store::{LogReader, LoggedEvent};
use serde_json::json;
use sqlx::{Acquire, PgConnection, PgPool};
use testkit::TestDatabase;

use crate::event_log::commit;
use crate::fixtures::count;

const START: LogPosition = LogPosition::BEGINNING;

/// How long a reader is given; open transactions of other tests hold it back too.
const PATIENCE: Duration = Duration::from_secs(20);

/// Appends as the appender does, but within a transaction that the test holds open.
async fn insert(connection: &mut PgConnection, aggregate_id: &str, sequence: i64) {
    sqlx::query(
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         values ('note', $1, $2, 'Noted', '1', $3, '{}')",
    )
    .bind(aggregate_id)
    .bind(sequence)
    .bind(json!({}))
    .execute(connection)
    .await
    .unwrap();
}

/// Reads from a position on until there are as many events.
async fn read(reader: &LogReader, mut from: LogPosition, expected: usize) -> Vec<LoggedEvent> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while seen.len() < expected {
        let events = reader.after(from, 7).await.unwrap();
        from = events.last().map_or(from, |last| last.position);
        seen.extend(events);
        assert!(tokio::time::Instant::now() < deadline, "only {} of {expected} events in time", seen.len());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    seen
}

fn ids(events: &[LoggedEvent]) -> Vec<&str> {
    events.iter().map(|event| event.aggregate_id.as_str()).collect()
}

#[tokio::test]
async fn events_are_read_in_order_from_any_place_on() {
    let test = TestDatabase::new().await;
    for n in 0..5 {
        test.appender().append(commit(&format!("a{n}"), 0, 2)).await.unwrap();
    }
    let all = read(&test.reader(), START, 10).await;
    assert_eq!(ids(&all), ["a0", "a0", "a1", "a1", "a2", "a2", "a3", "a3", "a4", "a4"]);
    assert!(all.is_sorted_by(|earlier, later| earlier.position < later.position));
    for (n, event) in all.iter().enumerate() {
        // Inside of a commit too: a page may end between two of its events.
        assert_eq!(test.reader().after(event.position, 100).await.unwrap(), all[n + 1..]);
    }
    assert_eq!(test.reader().after(START, 3).await.unwrap(), all[..3]);
}

/// Seen to fail: without `tx < pg_snapshot_xmin(…)` the reader got the late transaction's event first, and after the
/// early one had committed never saw it.
#[tokio::test]
async fn a_reader_does_not_pass_a_transaction_that_is_still_open() {
    let test = TestDatabase::new().await;
    // PGlite has one connection, so no transaction is open while another one reads.
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let mut connection = other.pool().acquire().await.unwrap();
    let mut slow = connection.begin().await.unwrap();
    insert(&mut slow, "early", 1).await;
    test.appender().append(commit("late", 0, 1)).await.unwrap();
    for _ in 0..10 {
        assert_eq!(ids(&test.reader().after(START, 10).await.unwrap()), [""; 0]);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    slow.commit().await.unwrap();
    assert_eq!(ids(&read(&test.reader(), START, 2).await), ["early", "late"]);
}

/// A transaction may have drawn a lower number than one that commits before it.
///
/// Seen to fail: read by `position` alone, the younger transaction's event was passed over, horizon or not.
#[tokio::test]
async fn an_event_with_a_lower_number_than_one_that_was_read_is_not_passed_over() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let (mut first, mut second) = (other.pool().acquire().await.unwrap(), other.pool().acquire().await.unwrap());
    let (mut elder, mut younger) = (first.begin().await.unwrap(), second.begin().await.unwrap());
    insert(&mut elder, "elder", 1).await;
    insert(&mut younger, "younger", 1).await;
    insert(&mut elder, "elder", 2).await;
    elder.commit().await.unwrap();
    let seen = read(&test.reader(), START, 2).await;
    assert_eq!(ids(&seen), ["elder", "elder"]);
    younger.commit().await.unwrap();
    let rest = read(&test.reader(), seen[1].position, 1).await;
    assert_eq!(ids(&rest), ["younger"]);
    assert!(rest[0].position.position < seen[1].position.position);
}

#[tokio::test]
async fn what_is_rolled_back_holds_nobody_back() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let mut connection = other.pool().acquire().await.unwrap();
    let mut slow = connection.begin().await.unwrap();
    insert(&mut slow, "never", 1).await;
    test.appender().append(commit("late", 0, 1)).await.unwrap();
    slow.rollback().await.unwrap();
    assert_eq!(ids(&read(&test.reader(), START, 1).await), ["late"]);
}

async fn write_slowly(pool: PgPool, writer: usize) {
    let mut connection = pool.acquire().await.unwrap();
    for n in 0..6_u64 {
        let mut transaction = connection.begin().await.unwrap();
        for sequence in 1..=3 {
            insert(&mut transaction, &format!("slow-{writer}-{n}"), sequence).await;
            tokio::time::sleep(Duration::from_millis(n * 2 + writer as u64)).await;
        }
        // Every third one changes its mind.
        if n % 3 == 2 { transaction.rollback().await.unwrap() } else { transaction.commit().await.unwrap() }
    }
}

/// Four writers commit at once, three keep transactions open for a while, and a reader follows them all along.
///
/// Seen to fail: without the horizon the reader had missed events.
#[tokio::test]
async fn a_reader_beside_fast_and_slow_writers_sees_every_event_exactly_once() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let done = Arc::new(AtomicBool::new(false));
    let (reader, stop) = (test.reader(), Arc::clone(&done));
    let following = tokio::spawn(async move {
        let (mut seen, mut from) = (Vec::new(), START);
        loop {
            let last_look = stop.load(Ordering::SeqCst);
            let events = reader.after(from, 7).await.unwrap();
            from = events.last().map_or(from, |last| last.position);
            if events.is_empty() && last_look {
                return (seen, from);
            }
            seen.extend(events);
            tokio::task::yield_now().await;
        }
    });
    let slow = (0..3).map(|writer| tokio::spawn(write_slowly(other.pool().clone(), writer)));
    let fast = (0..4).map(|writer| {
        let appender = test.appender();
        tokio::spawn(async move {
            for n in 0..40 {
                appender.append(commit(&format!("fast-{writer}-{n}"), 0, 2)).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = slow.chain(fast).collect();
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let (mut seen, from) = following.await.unwrap();
    let total = usize::try_from(count(test.pool(), "events").await).unwrap();
    assert_eq!(total, 4 * 40 * 2 + 3 * 4 * 3);
    // The last events may still lie behind the horizon, because other tests have transactions open.
    let rest = total.saturating_sub(seen.len());
    seen.extend(read(&test.reader(), from, rest).await);
    assert_eq!(seen, read(&test.reader(), START, total).await);
}
