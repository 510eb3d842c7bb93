//! What PostgreSQL finds in a span, and how much of a log of some length it goes through.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testkit::TestDatabase;
use testkit::work::read_of_the_log;

use super::*;
use crate::database::Database;
use crate::event_store::LogReader;

/// Events of the log.
const EVENTS: i64 = 20_000;

/// Pages that lead to a span of ten events and hold it; the index alone has more than a hundred.
const MOST_PAGES: i64 = 40;

fn at(generation: i32, tx: u64) -> LogPosition {
    LogPosition { generation, tx, position: i64::MAX }
}

/// Seen to fail: with the row comparison for all spans, and with it for spans from the beginning of the log, the first of them
/// took 107 pages.
#[tokio::test]
async fn what_comes_behind_an_early_span_is_not_gone_through() {
    let test = TestDatabase::new().await;
    let Some(url) = test.url() else { return assert!(test.is_embedded()) };
    let database = Database::connect(&url, 1).await.unwrap();
    // As statistics may be missing, that is tried first.
    test.as_owner("alter table events set (autovacuum_enabled = false)").await;
    test.fill_the_log(EVENTS).await;
    for is_analyzed in [false, true] {
        if is_analyzed {
            test.as_owner("analyze events").await;
        }
        for (from, to) in [(LogPosition::BEGINNING, at(1, 10)), (at(1, 0), at(1, 10)), (at(1, 90), at(1, 100))] {
            let (events, read) = read_of_the_log(database.pool(), async {
                LogReader::between(&database.orm(), (from, to), "").await.unwrap()
            })
            .await;
            assert_eq!(events.len(), 10);
            assert!(read.pages <= MOST_PAGES, "{from} to {to}, analyzed {is_analyzed}: {read:?}");
        }
    }
}

/// Whatever the numbers of transactions are: a later generation comes after an earlier one.
#[tokio::test]
async fn a_span_may_reach_over_generations_and_begin_at_any_parameter() {
    let test = TestDatabase::new().await;
    let Some(url) = test.url() else { return assert!(test.is_embedded()) };
    let database = Database::connect(&url, 1).await.unwrap();
    test.fill_the_log(10).await;
    test.as_owner(
        "insert into log_generations (generation, reason) values (2, 'A drill.');
         insert into events (generation, tx, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         select 2, n::text::xid8, 'note', 'later' || n, 1, 'Noted', '1', '{}', '{}' from generate_series(1, 5) as n",
    )
    .await;
    let count = async |from: LogPosition, to: LogPosition| {
        let sql = format!("select count(*) from events where $1 and {}", between((from, to), 2));
        let values = [vec![true.into()], parameters(from).to_vec(), parameters(to).to_vec()].concat();
        let counted = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let row = database.orm().query_one(counted).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    let beginning = LogPosition::BEGINNING;
    assert_eq!(count(beginning, at(1, 7)).await, 7);
    assert_eq!(count(beginning, at(2, 3)).await, 13);
    assert_eq!(count(at(1, 8), at(2, 3)).await, 5);
    assert_eq!(count(at(2, 1), at(2, 3)).await, 2);
    assert_eq!(count(before(LogPosition { position: 0, ..at(2, 2) }), at(2, 3)).await, 2);
    assert_eq!(count(at(2, 3), at(1, 8)).await, 0);
}
