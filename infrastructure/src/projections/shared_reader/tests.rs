use chrono::DateTime;
use serde_json::Value;
use testkit::TestDatabase;
use testkit::work::read_of_the_log;
use tokio::time::timeout;

use super::*;
use crate::database::Database;

const ALL: i64 = 500;

/// Longer than a test lasts.
const FOR_EVER: Duration = Duration::from_hours(1);

/// Longer than the server needs for anything, however busy it is.
const LONG: Duration = Duration::from_mins(1);

/// A reader on one connection, so that what it reads can be counted there.
async fn reader(test: &TestDatabase, pace: Duration) -> Option<(SharedReader, Database)> {
    let database = Database::connect(&test.url()?, 1).await.unwrap();
    let log = LogReader::new(database.clone());
    Some((SharedReader { log, pace, recent: Mutex::default() }, database))
}

/// Records events, each in a transaction of its own, and waits until they can be read: the last one's place.
async fn record(test: &TestDatabase, events: i64) -> LogPosition {
    for _ in 0..events {
        test.record_a_note().await;
    }
    let last = test.last_position().await.unwrap();
    while test.reader().after(LogPosition { position: last.position - 1, ..last }, 1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    last
}

fn at(position: i64) -> LogPosition {
    LogPosition { generation: 1, tx: 7, position }
}

fn batch(after: i64, events: i64, asked: Instant) -> Batch {
    let event = |position| LoggedEvent {
        position: at(position),
        tenant_id: None,
        aggregate_type: "note".into(),
        aggregate_id: "a".into(),
        sequence: position,
        event_type: "Noted".into(),
        event_version: "1".into(),
        payload: Value::Null,
        metadata: Value::Null,
        recorded_at: DateTime::UNIX_EPOCH,
    };
    Batch { after: at(after), asked, events: (after + 1..=after + events).map(event).collect() }
}

fn found(recent: &Recent, after: i64, limit: i64, times: (Instant, Instant)) -> Option<usize> {
    recent.find(at(after), limit, times).map(|events| events.len())
}

/// Seen to fail: with batches of any length for whoever asks for few; with a batch for every position; with the moment of
/// asking for that of giving, which served what was read before a long wait.
#[test]
fn what_was_read_serves_the_others_at_its_position_for_a_moment() {
    let (mut recent, now) = (Recent::default(), Instant::now());
    recent.keep(batch(0, 3, now));
    let [all, elsewhere, few] = [(0, 3), (1, 3), (0, 2)].map(|(after, limit)| found(&recent, after, limit, (now, now)));
    assert_eq!((all, elsewhere, few), (Some(3), None, None));
    let waited = (now, now + FRESH);
    assert_eq!(found(&recent, 0, 3, waited), None, "the server may be another one by now");
}

/// Seen to fail: with an end that stays one, whenever it was asked for.
#[test]
fn an_end_is_one_for_those_who_asked_before_it_was_read() {
    let (mut recent, read) = (Recent::default(), Instant::now());
    let moment = Duration::from_millis(1);
    recent.keep(batch(3, 0, read));
    assert_eq!(
        [read - moment, read + moment].map(|asked| found(&recent, 3, 9, (asked, read + moment))),
        [Some(0), None]
    );
}

/// Seen to fail: with every batch kept.
#[test]
fn only_the_latest_batches_are_kept() {
    let (mut recent, now) = (Recent::default(), Instant::now());
    for after in 0..=i64::try_from(KEPT).unwrap() {
        recent.keep(batch(after, 1, now));
    }
    assert_eq!([0, 1].map(|after| found(&recent, after, 1, (now, now))), [None, Some(1)]);
}

/// Seen to fail: with what was read not looked for, and with everybody reading alone, there were twenty reads.
#[tokio::test]
async fn those_who_ask_at_once_at_one_position_are_served_by_one_read() {
    let test = TestDatabase::new().await;
    let Some((reader, database)) = reader(&test, PACE).await else { return assert!(test.is_embedded()) };
    let last = record(&test, 3).await;
    let ask = async |position| futures::future::join_all((0..20).map(|_| reader.after(position, ALL))).await;
    let (batches, read) = read_of_the_log(database.pool(), ask(LogPosition::BEGINNING)).await;
    for batch in batches {
        assert_eq!(batch.unwrap().len(), 3);
    }
    assert_eq!(read.looks, 1);
    let (ends, read) = read_of_the_log(database.pool(), ask(last)).await;
    for end in ends {
        assert!(end.unwrap().is_empty());
    }
    // Whoever asked after the first look had begun needs another one, which serves all of them.
    assert!(read.looks <= 2, "{read:?}");
}

/// Seen to fail: without the rest, the log was read before it was over; with an end that stays one, nothing was read any more.
#[tokio::test]
async fn what_comes_soon_after_the_end_was_read_makes_one_batch() {
    let test = TestDatabase::new().await;
    // A machine that is too slow to record two events before the pace is over is given more time.
    for seconds in [1, 5, 20] {
        let pace = Duration::from_secs(seconds);
        let Some((reader, _)) = reader(&test, pace).await else { return assert!(test.is_embedded()) };
        let before = record(&test, 1).await;
        let asked = Instant::now();
        reader.after(before, ALL).await.unwrap();
        let follow = async {
            let mut batches = Vec::new();
            let mut position = before;
            while batches.iter().sum::<usize>() < 2 {
                let batch = reader.after(position, ALL).await.unwrap();
                position = batch.last().map_or(position, |last| last.position);
                batches.extend(Some(batch.len()).filter(|events| *events > 0));
            }
            (batches, Instant::now())
        };
        let recorded = async {
            record(&test, 2).await;
            Instant::now()
        };
        let ((batches, answered), recorded) = timeout(LONG, futures::future::join(follow, recorded)).await.unwrap();
        if recorded < asked + pace {
            assert!(answered >= asked + pace, "the log is not read before");
            return assert_eq!(batches, [2]);
        }
    }
    panic!("the server needs more than 20 s to record two events");
}

/// Seen to fail: with a rest after every read, the rest of the log was not read; without any, the end was read again at once.
#[tokio::test]
async fn after_a_rest_and_behind_a_full_batch_the_log_is_read_at_once() {
    let test = TestDatabase::new().await;
    let Some((reader, _)) = reader(&test, FOR_EVER).await else { return assert!(test.is_embedded()) };
    let last = record(&test, 3).await;
    let read = async |position, limit| timeout(LONG, reader.after(position, limit)).await.map(Result::unwrap);
    let first = read(LogPosition::BEGINNING, 2).await.unwrap();
    let second = read(first[1].position, 2).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1));
    let resting = timeout(Duration::from_millis(50), reader.after(last, 2)).await;
    assert!(resting.is_err(), "the end was read a moment ago");
    reader.recent.lock().await.rests_until = Some(Instant::now());
    record(&test, 1).await;
    assert_eq!(read(last, 2).await.unwrap().len(), 1);
}
