//! Views in memory see every committed event once, at once, and in the order of its aggregate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::PortError;
use application::ports::commands::LogPosition;
use async_trait::async_trait;
use infrastructure::database::Database;
use infrastructure::event_store::{LogReader, LoggedEvent};
use infrastructure::follower::{Follower, LiveView};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Acquire, PgConnection};
use testkit::TestDatabase;

use crate::event_log::commit;
use crate::fixtures::until;

/// Remembers the notes that it was told of.
struct Notes {
    reader: LogReader,
    loads: Mutex<u32>,
    told: Mutex<Vec<String>>,
}

#[async_trait]
impl LiveView for Notes {
    fn follows(&self) -> &'static [&'static str] {
        &["note"]
    }

    async fn load(&self) -> Result<LogPosition, PortError> {
        *self.loads.lock().unwrap() += 1;
        self.told.lock().unwrap().clear();
        self.reader.horizon().await.map_err(|error| PortError::Unavailable(error.into()))
    }

    fn apply(&self, events: &[LoggedEvent]) {
        let told = events.iter().map(|event| format!("{} {}", event.aggregate_id, event.sequence));
        self.told.lock().unwrap().extend(told);
    }
}

impl Notes {
    fn told(&self) -> Vec<String> {
        let mut told = self.told.lock().unwrap().clone();
        told.sort_unstable();
        told
    }
}

/// A view that follows the test's log until it is dropped.
async fn follow(test: &TestDatabase) -> (Arc<Notes>, tokio::task::JoinSet<()>) {
    follow_on(test, test.database()).await
}

/// The same over other connections.
async fn follow_on(test: &TestDatabase, database: &Database) -> (Arc<Notes>, tokio::task::JoinSet<()>) {
    let notes = Arc::new(Notes { reader: test.reader(), loads: Mutex::default(), told: Mutex::default() });
    let follower = Follower::new(database, test.log(), vec![Arc::clone(&notes) as _]);
    let mut freshness = follower.freshness();
    assert!(!freshness.within(Duration::MAX), "nothing has been looked at");
    let mut running = tokio::task::JoinSet::new();
    running.spawn(async move { follower.run().await });
    freshness.filled().await;
    (notes, running)
}

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

#[tokio::test]
async fn what_is_recorded_after_the_view_was_filled_is_delivered_once() {
    let test = TestDatabase::new().await;
    test.appender().append(commit("before", 0, 1)).await.unwrap();
    // Transactions of other tests hold the horizon back, behind which what the view was filled with lies.
    let reader = test.reader();
    let recorded = test.last_position().await.unwrap();
    until("the horizon has passed", async || reader.horizon().await.unwrap() >= recorded).await;
    let (notes, _running) = follow(&test).await;
    for n in 0..3 {
        test.appender().append(commit("a", n, 1)).await.unwrap();
    }
    let all = ["a 1", "a 2", "a 3"];
    until("all are told", async || notes.told().len() >= all.len()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(*notes.told.lock().unwrap(), all, "in order, and none again at the next looks");
    assert_eq!(*notes.loads.lock().unwrap(), 1);
}

/// Seen to fail: with the gate of projections in `committed` the second note is not told while the transaction is open;
/// with `behind` moved to the last event instead of the horizon the first one is never told.
#[tokio::test]
async fn an_open_transaction_holds_nothing_back_and_is_not_passed_over() {
    let test = TestDatabase::new().await;
    // PGlite has one connection, so no transaction is open while another one commits.
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let (notes, _running) = follow(&test).await;
    let mut connection = other.pool().acquire().await.unwrap();
    let mut slow = connection.begin().await.unwrap();
    insert(&mut slow, "early", 1).await;
    test.appender().append(commit("late", 0, 1)).await.unwrap();
    until("the late one is told", async || notes.told() == ["late 1"]).await;
    slow.commit().await.unwrap();
    until("the early one is told", async || notes.told() == ["early 1", "late 1"]).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(notes.told(), ["early 1", "late 1"], "none is told twice");
}

#[tokio::test]
async fn a_page_is_not_the_end() {
    let test = TestDatabase::new().await;
    let (notes, _running) = follow(&test).await;
    let mut connection = test.pool().acquire().await.unwrap();
    let mut many = connection.begin().await.unwrap();
    for n in 1..=2_100 {
        insert(&mut many, "a", n).await;
    }
    many.commit().await.unwrap();
    drop(connection);
    until("all are told", async || notes.told().len() == 2_100).await;
}

/// Where something stands between the process and the servers, its connections do not break. When a server was started is
/// asked of a function of the test's own, which tells another time once it has taken over.
///
/// Seen to fail: with the servers not compared, the view was never filled anew.
#[tokio::test]
async fn a_server_that_takes_over_unnoticed_is_not_believed_to_have_all_that_was_told() {
    let test = TestDatabase::new().await;
    if test.is_embedded() {
        return assert!(test.url().is_none());
    }
    let started = async |at: &str| {
        test.as_owner(&format!(
            "create or replace function pg_postmaster_start_time() returns timestamptz language sql as
             $$ select timestamptz '{at}' $$"
        ))
        .await;
    };
    started("2026-06-01").await;
    let schema: String = sqlx::query_scalar("select current_schema()::text").fetch_one(test.pool()).await.unwrap();
    let options: PgConnectOptions = test.pool().connect_options().as_ref().clone();
    let options = options.options([("search_path", format!("{schema},pg_catalog"))]);
    let database = Database::connect_with(options, 4).await.unwrap();
    let (notes, _running) = follow_on(&test, &database).await;
    test.appender().append(commit("a", 0, 2)).await.unwrap();
    until("both are told", async || notes.told() == ["a 1", "a 2"]).await;

    test.as_owner(
        "alter table events disable trigger events_append_only;
         delete from events where sequence = 2;
         alter table events enable trigger events_append_only",
    )
    .await;
    started("2026-06-02").await;
    until("the view is filled anew", async || *notes.loads.lock().unwrap() == 2).await;
    test.appender().append(commit("b", 0, 1)).await.unwrap();
    until("what is new is told", async || notes.told().iter().any(|told| told == "b 1")).await;
    // What lies beyond the horizon, which other tests hold back, is told again to a view that was filled.
    assert!(!notes.told().iter().any(|told| told == "a 2"), "it is in no log");
}
