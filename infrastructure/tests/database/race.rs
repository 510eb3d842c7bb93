//! Writers that keep transactions open for random times, and readers that follow them at full speed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use application::ports::commands::LogPosition;
use infrastructure::event_store::{LogReader, LoggedEvent};
use serde_json::json;
use sqlx::error::DatabaseError;
use sqlx::{Acquire, PgConnection, PgPool};
use testkit::TestDatabase;
use testkit::settings::{LONG, setting};

use crate::fixtures::count;

/// How long the readers are given once the writers are done; open transactions of other tests hold them back too.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections of one pool of a test database.
const WRITERS_OF_A_POOL: usize = 8;

/// Aggregates that all writers share.
const AGGREGATES: u64 = 20;

const READERS: i64 = 3;

/// How hard the race is.
struct Race {
    writers: usize,
    /// Of each writer.
    transactions: usize,
    /// The longest pause after each event within a transaction.
    longest_pause: Duration,
}

/// Numbers that look random and are the same in every run (xorshift, 64 bits).
struct Random(u64);

impl Random {
    fn of(writer: usize) -> Self {
        Self((writer as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Less than `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

async fn insert(connection: &mut PgConnection, aggregate_id: &str, sequence: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         values ('note', $1, $2, 'Noted', '1', $3, '{}')",
    )
    .bind(aggregate_id)
    .bind(sequence)
    .bind(json!({}))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Loads an aggregate and appends one to three events to it within one transaction, as a command does. Another writer
/// may be first.
async fn append(
    connection: &mut PgConnection,
    random: &mut Random,
    longest_pause: Duration,
) -> Result<(), sqlx::Error> {
    let aggregate_id = random.below(AGGREGATES).to_string();
    let loaded: i64 = sqlx::query_scalar("select coalesce(max(sequence), 0) from events where aggregate_id = $1")
        .bind(&aggregate_id)
        .fetch_one(&mut *connection)
        .await?;
    let mut transaction = connection.begin().await?;
    for sequence in (loaded + 1..).take(usize::try_from(random.below(3)).unwrap() + 1) {
        insert(&mut transaction, &aggregate_id, sequence).await?;
        let pause = random.below(u64::try_from(longest_pause.as_micros()).unwrap());
        tokio::time::sleep(Duration::from_micros(pause)).await;
    }
    // Every fifth one changes its mind.
    if random.below(5) == 0 { transaction.rollback().await } else { transaction.commit().await }
}

async fn write(pool: PgPool, writer: usize, transactions: usize, longest_pause: Duration) {
    let mut random = Random::of(writer);
    let mut connection = pool.acquire().await.unwrap();
    for _ in 0..transactions {
        match append(&mut connection, &mut random, longest_pause).await {
            Err(error) if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) => {}
            done => done.unwrap(),
        }
    }
}

/// Reads on and on, until nobody writes any more and it has had as many events as the log holds; or too many.
async fn follow(reader: LogReader, pool: PgPool, page: i64, written: Arc<AtomicBool>) -> Vec<LoggedEvent> {
    let (mut seen, mut from, mut deadline) = (Vec::new(), LogPosition::BEGINNING, None);
    loop {
        let events = reader.after(from, page).await.unwrap();
        from = events.last().map_or(from, |last| last.position);
        if events.is_empty() && written.load(Ordering::SeqCst) {
            let total = usize::try_from(count(&pool, "events").await).unwrap();
            let deadline = *deadline.get_or_insert_with(|| tokio::time::Instant::now() + PATIENCE);
            if seen.len() >= total || tokio::time::Instant::now() > deadline {
                return seen;
            }
        }
        seen.extend(events);
        tokio::task::yield_now().await;
    }
}

/// Every reader gets every event once, in the log's order, and so those of each aggregate in theirs.
async fn run(race: Race) {
    let test = TestDatabase::new().await;
    let written = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (1..=READERS)
        .map(|n| tokio::spawn(follow(test.reader(), test.pool().clone(), n * 7, Arc::clone(&written))))
        .collect();
    let mut writers = Vec::new();
    for first in (0..race.writers).step_by(WRITERS_OF_A_POOL) {
        // PGlite has one connection, so nobody races.
        let Some(process) = test.another_process().await else { return assert!(test.is_embedded()) };
        for writer in first..race.writers.min(first + WRITERS_OF_A_POOL) {
            writers.push(tokio::spawn(write(process.pool().clone(), writer, race.transactions, race.longest_pause)));
        }
    }
    for writer in futures::future::join_all(writers).await {
        writer.unwrap();
    }
    written.store(true, Ordering::SeqCst);
    let recorded: Vec<(i32, i64, i64)> = sqlx::query_as(
        "select generation, tx::text::bigint, position from events order by generation, events.tx, position",
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    assert!(recorded.len() > race.writers * race.transactions / 4, "only {} were first", recorded.len());
    for reader in readers {
        let seen = reader.await.unwrap();
        let places: Vec<(i32, i64, i64)> = seen
            .iter()
            .map(|event| (event.position.generation, event.position.tx.cast_signed(), event.position.position))
            .collect();
        assert!(places == recorded, "a reader saw {} of {} events, or not in order", places.len(), recorded.len());
        let mut last = BTreeMap::new();
        for event in seen {
            let before = last.insert(event.aggregate_id.clone(), event.sequence).unwrap_or(0);
            assert_eq!(event.sequence, before + 1, "of {}", event.aggregate_id);
        }
    }
}

/// Seen to fail: without the horizon in `LogReader::after` all readers missed events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_at_full_speed_get_every_event_once_and_in_order() {
    run(Race { writers: 16, transactions: 25, longest_pause: Duration::from_millis(40) }).await;
}

/// The same with 64 writers whose transactions pause for up to 300 ms after each event; seen to fail in the same way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_at_full_speed_get_every_event_of_64_slow_writers_once_and_in_order() {
    if setting(LONG).is_none() {
        return;
    }
    run(Race { writers: 64, transactions: 60, longest_pause: Duration::from_millis(300) }).await;
}
