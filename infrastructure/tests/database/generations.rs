//! What a restore from a dump does to the log, and how it goes on.

use application::ports::commands::LogPosition;
use infrastructure::event_store::LogGenerations;
use testkit::TestDatabase;

use crate::event_log::commit;
use crate::fixtures::until;

/// A transaction that no server of this test comes to.
const FAR_AHEAD: u64 = 1 << 40;

/// Events as a dump of another server brings them: with the numbers of that server's transactions.
async fn restore(test: &TestDatabase, aggregate_id: &str, events: i64) {
    sqlx::query(
        "insert into events
            (tx, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         select ($1::bigint + n)::text::xid8, 'note', $2, n, 'Noted', '1', '{}', '{}'
         from generate_series(1, $3) n",
    )
    .bind(FAR_AHEAD.cast_signed())
    .bind(aggregate_id)
    .bind(events)
    .execute(test.pool())
    .await
    .unwrap();
}

async fn ids_from(test: &TestDatabase, from: LogPosition) -> Vec<String> {
    let events = test.reader().after(from, 100).await.unwrap();
    events.into_iter().map(|event| event.aggregate_id).collect()
}

#[tokio::test]
async fn a_log_that_was_not_restored_needs_no_repair() {
    let test = TestDatabase::new().await;
    let generations = LogGenerations::new(test.database().clone());
    assert!(!generations.is_restored().await.unwrap(), "an empty log");
    test.appender().append(commit("a", 0, 2)).await.unwrap();
    assert!(!generations.is_restored().await.unwrap());
    assert_eq!(generations.repair_after_restore("by mistake").await.unwrap(), None);
    assert_eq!(generations.current().await.unwrap(), 1);
}

/// Seen to fail: without the generation in the order, what was recorded after the restore came first; without it in the
/// gate, what the dump held was never read.
#[tokio::test]
async fn after_a_repair_everything_restored_is_read_first_and_everything_new_behind_it() {
    let test = TestDatabase::new().await;
    restore(&test, "old", 3).await;
    let generations = LogGenerations::new(test.database().clone());
    assert!(generations.is_restored().await.unwrap());
    assert_eq!(ids_from(&test, LogPosition::BEGINNING).await, [""; 0], "hidden, as the server has not come there");

    assert_eq!(generations.repair_after_restore("the disk was lost").await.unwrap(), Some(2));
    assert!(!generations.is_restored().await.unwrap());
    assert_eq!(generations.repair_after_restore("again").await.unwrap(), None, "once is enough");
    assert_eq!(ids_from(&test, LogPosition::BEGINNING).await, ["old"; 3]);

    // A checkpoint that came with the dump is gone on from.
    let at = LogPosition { generation: 1, tx: FAR_AHEAD + 2, position: i64::MAX };
    let appended = test.appender().append(commit("new", 0, 1)).await.unwrap();
    assert_eq!(appended.position.generation, 2);
    assert!(appended.position.tx < at.tx && appended.position > at);
    until("the new event is read", async || ids_from(&test, at).await == ["old", "new"]).await;
}

#[tokio::test]
async fn projections_go_on_over_a_restore() {
    let test = TestDatabase::new().await;
    restore(&test, "old", 3).await;
    LogGenerations::new(test.database().clone()).repair_after_restore("moved").await.unwrap();
    test.appender().append(commit("new", 0, 2)).await.unwrap();
    test.catch_up().await;
    let entries: Vec<(i32, String)> =
        sqlx::query_as("select generation, aggregate_id from audit_entries order by generation, tx, position")
            .fetch_all(test.pool())
            .await
            .unwrap();
    let told: Vec<(i32, &str)> = entries.iter().map(|(generation, id)| (*generation, id.as_str())).collect();
    assert_eq!(told, [(1, "old"), (1, "old"), (1, "old"), (2, "new"), (2, "new")]);
}
