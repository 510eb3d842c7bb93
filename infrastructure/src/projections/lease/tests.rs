//! What moving checkpoints asks of the log.

use testkit::TestDatabase;
use testkit::work::read_of_the_log;

use super::*;

const NAMES: [&str; 8] = ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"];

/// Events of the log; its table has more than five hundred pages.
const EVENTS: i64 = 20_000;

/// Pages that lead to the last events of eight batches.
const MOST_PAGES: i64 = 100;

/// The leases of a process with one connection to a log of thirty events, and their places. There are no statistics.
async fn process(test: &TestDatabase) -> Option<(Leases, Vec<LogPosition>)> {
    let database = Database::connect(&test.url()?, 1).await.unwrap();
    test.as_owner("alter table events set (autovacuum_enabled = false)").await;
    test.fill_the_log(30).await;
    let events = test.reader().after(LogPosition::BEGINNING, 30).await.unwrap();
    let leases = Leases::new(database);
    leases.introduce(&NAMES).await.unwrap();
    Some((leases, events.iter().map(|event| event.position).collect()))
}

fn all(from: LogPosition, to: LogPosition) -> impl Iterator<Item = (&'static str, Stretch)> {
    NAMES.into_iter().map(move |name| (name, Stretch { from, to, events: 1 }))
}

/// Often enough that the server also keeps a plan that fits whatever the values are: one that it made while the log was short,
/// then one without statistics, and at last one with them.
///
/// Seen to fail: with `exists` for the scalar query, a batch took 835 pages once the log had grown.
#[tokio::test]
async fn moving_checkpoints_looks_the_last_events_up_and_does_not_go_through_the_log() {
    let test = TestDatabase::new().await;
    let Some((leases, events)) = process(&test).await else { return assert!(test.is_embedded()) };
    let mut from = LogPosition::BEGINNING;
    for (number, to) in events.into_iter().enumerate() {
        match number {
            10 => test.fill_the_log(EVENTS).await,
            // Changes nothing, but plans are made anew.
            15 => test.as_owner("alter table events set (autovacuum_enabled = false)").await,
            25 => test.as_owner("analyze events").await,
            _ => {}
        }
        let pool = leases.database.pool().clone();
        let (moved, read) = read_of_the_log(&pool, leases.advance_all(all(from, to))).await;
        assert_eq!(moved.unwrap().len(), NAMES.len());
        assert!(read.pages <= MOST_PAGES, "the statement number {number}: {read:?}");
        from = to;
    }
}

/// A server that took over may lack the events that the old one gave.
///
/// Seen to fail: without the look for the last event, in the statement for several and in that for one.
#[tokio::test]
async fn no_checkpoint_moves_to_an_event_that_is_not_there() {
    let test = TestDatabase::new().await;
    let Some((leases, events)) = process(&test).await else { return assert!(test.is_embedded()) };
    let lost = LogPosition { position: i64::MAX, ..events[0] };
    let stretch = |to| Stretch { from: LogPosition::BEGINNING, to, events: 1 };
    assert_eq!(leases.advance_all(all(LogPosition::BEGINNING, lost)).await.unwrap(), [""; 0]);
    assert!(!leases.advance_one("p1", stretch(lost)).await.unwrap());
    assert!(leases.advance_one("p1", stretch(events[0])).await.unwrap());
}
