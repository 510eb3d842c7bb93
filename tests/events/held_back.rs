//! Looking into the log while a transaction is open on the server, behind which nothing can be read.

use testkit::engine::PostgresServer;
use testkit::program::{Ended, Running};

use crate::log::{Log, NAME};

/// Seen to fail: with nothing said of what is missing; with an export of what can be read; with the session not asked for.
#[tokio::test]
async fn looks_say_what_is_missing_and_exports_take_nothing_away_while_a_transaction_is_open() {
    let server = PostgresServer::start();
    let log = Log::on(&server).await;
    log.tenant("acme", 1).await;
    for change in [["activate", "acme"].as_slice(), &["offboard", "acme", "--reason", "They leave."]] {
        let changed = log.start(&[&["tenants", "--as", "ops-anna"], change].concat()).end();
        assert_eq!(changed.code, Some(0), "{changed:?}");
    }
    log.database.catch_up().await;
    let readable = log.lines(&["list"]).len();
    let before = log.database.last_position().await.unwrap().to_string();
    let other = log.database.another_process().await.unwrap();
    let mut open = other.pool().begin().await.unwrap();
    let pid: i32 = sqlx::query_scalar(
        "select pg_backend_pid() from set_config('idle_in_transaction_session_timeout', '0', true), pg_current_xact_id()",
    )
    .fetch_one(&mut *open)
    .await
    .unwrap();
    log.database.record_a_note().await;

    // Side by side, because each waits for the transaction for a while.
    let looks = [&["events", "list"][..], &["events", "tail", "--no-follow"]];
    let exports = [
        &["events", "export", "--out", "whole.jsonl"][..],
        &["tenants", "--as", "ops-anna", "export", "acme", "--out", "acme.jsonl"],
    ];
    let [looks, exports] = [looks, exports].map(|each| each.map(|arguments| log.start(arguments)));
    let early = log.run(&["export", "--out", "early.jsonl", "--up-to", &before]);
    let [looks, exports] = [looks, exports].map(|each| each.map(Running::end));
    open.rollback().await.unwrap();

    let names_the_session = |ended: &Ended| {
        let session = format!("for the transaction of session {pid} ");
        assert!(ended.errors.contains(&session), "{ended:?}");
        assert!(ended.errors.contains(&format!("select pg_terminate_backend({pid})")), "{ended:?}");
    };
    for look in &looks {
        assert_eq!((look.code, look.output.lines().count()), (Some(0), readable), "{look:?}");
        assert!(look.errors.contains("The newest events are recorded but cannot be read yet: "), "{look:?}");
        names_the_session(look);
    }
    for export in &exports {
        assert_eq!(export.code, Some(1), "{export:?}");
        let refused = "nothing was exported, for the newest events would be missing: ";
        assert!(export.errors.contains(refused), "{export:?}");
        names_the_session(export);
        assert!(!export.errors.contains(NAME), "{export:?}");
    }
    assert_eq!(early.code, Some(0), "nothing is missing before the transaction: {early:?}");
    let files: Vec<_> = std::fs::read_dir(log.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["early.jsonl"]);
    let all = log.run(&["list"]);
    assert_eq!((all.code, all.output.lines().count(), all.errors.as_str()), (Some(0), readable + 1, ""));
}
