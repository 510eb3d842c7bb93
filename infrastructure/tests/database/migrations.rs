use domain::job_run::Step;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, begin, complete, on_run, run, start, tenant};

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let test = TestDatabase::unmigrated().await;
    assert!(!test.database().is_current().await.unwrap());
    for _ in 0..2 {
        test.database().migrate().await.unwrap();
        assert!(test.database().is_current().await.unwrap());
    }
    let applied: Vec<String> = sqlx::query_scalar("select version from seaql_migrations order by version")
        .fetch_all(test.pool())
        .await
        .unwrap();
    assert!(applied.is_sorted_by(|earlier, later| earlier < later), "{applied:?}");
    assert!(applied.contains(&"0001_event_log".to_owned()), "{applied:?}");
}

#[tokio::test]
async fn several_processes_may_migrate_at_once() {
    let test = TestDatabase::unmigrated().await;
    // PGlite has one process.
    let Some(second) = test.another_process().await else { return assert!(test.is_embedded()) };
    let third = test.another_process().await.unwrap();
    let all = tokio::join!(test.database().migrate(), second.migrate(), third.migrate());
    assert!(matches!(all, (Ok(()), Ok(()), Ok(()))), "{all:?}");
    assert!(test.database().is_current().await.unwrap());
}

/// A run that was there before its version gets that of the last event which its row has seen, and goes on from there.
///
/// Seen to fail: without the comparison with the checkpoint, the row claimed the version of an event that it did not
/// show.
#[tokio::test]
async fn runs_of_earlier_releases_get_the_version_that_they_show() {
    let test = TestDatabase::new().await;
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    on_run(&test, tenant(1), run(1), begin(Step::FetchDeals, Uuid::from_u128(9), at(1))).await;
    on_run(&test, tenant(1), run(2), start(run(2), tenant(1), at(0))).await;
    test.catch_up().await;
    on_run(&test, tenant(1), run(1), complete(run(1), Step::FetchDeals, 1, at(2))).await;
    let versions = async || -> Vec<i64> {
        sqlx::query_scalar("select version from runs order by id").fetch_all(test.pool()).await.unwrap()
    };
    let projected = versions().await;
    test.as_owner("drop table receipts; alter table runs drop column version").await;
    test.as_owner(include_str!("../../../migrations/sql/0008_receipts.sql")).await;
    assert_eq!(versions().await, projected);
    assert_eq!(projected, [2, 1]);
    test.catch_up().await;
    assert_eq!(versions().await, [3, 1]);
}
