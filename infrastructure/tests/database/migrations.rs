use testkit::TestDatabase;

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
