//! `synkro tenants`: a company's way from its first day to its last.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::program::Ended;

use crate::log::Log;

fn tenants(log: &Log, arguments: &[&str]) -> Ended {
    log.start(&[&["tenants", "--as", "ops-anna"], arguments].concat()).end()
}

#[track_caller]
fn assert_refused(ended: &Ended, words: &str) {
    assert!(ended.code == Some(1) && ended.errors.contains(words), "{ended:?}");
}

#[tokio::test]
async fn a_company_is_kept_out_exported_and_closed_and_the_log_says_by_whom() {
    let log = Log::new().await;
    let (id, _) = log.tenant("acme", 2).await;
    log.tenant("globex", 0).await;
    let id = id.to_string();
    assert_refused(&tenants(&log, &["suspend", "acme", "--reason", "Unpaid bills."]), "activate it first");
    for (change, told) in [
        (vec!["activate", "acme"], "acme (acme) is open for use."),
        (vec!["rename", "acme", "--name", "Acme Ltd"], "Acme Ltd (acme) has this name now."),
        (vec!["suspend", "acme", "--reason", "Unpaid bills."], "Acme Ltd (acme) is suspended: running processes"),
        (vec!["suspend", "acme", "--reason", "Again."], "Nothing was recorded: Acme Ltd (acme) was so already."),
        (vec!["offboard", &id, "--reason", "They leave."], "Acme Ltd (acme) is being offboarded: running processes"),
    ] {
        let ended = tenants(&log, &change);
        assert!(ended.code == Some(0) && ended.output.starts_with(told), "{change:?}: {ended:?}");
    }
    assert_refused(&tenants(&log, &["close", "acme"]), "export it first");
    assert_refused(&tenants(&log, &["export", "globex", "--out", "globex.jsonl"]), "not being offboarded");
    let export = tenants(&log, &["--json", "export", "acme", "--out", "acme.jsonl"]);
    let exported: Value = serde_json::from_str(&export.output).unwrap();
    let lines = std::fs::read_to_string(log.folder.path().join("acme.jsonl")).unwrap().lines().count();
    assert_eq!((exported["events"].as_u64(), lines), (Some(7), 7), "the tenant, two users, and four changes");
    let closed = tenants(&log, &["close", "acme"]);
    assert!(closed.lines().eq(["Acme Ltd (acme) is closed for good, and its slug is free."]), "{closed:?}");
    let events = log.lines(&["list", "--tenant", &id, "--actor", "ops-anna", "--json"]);
    let told: Vec<Value> = events.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = told.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    let expected = [
        "TenantActivated",
        "TenantRenamed",
        "TenantSuspended",
        "TenantOffboardingBegun",
        "TenantExported",
        "TenantClosed",
    ];
    assert_eq!(names, expected);
    assert_refused(&tenants(&log, &["resume", &id]), "closed for good");
}

/// Nothing else feeds the tables of this log. Seen to fail with a list that is read as it was left.
#[tokio::test]
async fn the_list_shows_what_was_recorded_and_asks_nobodys_name() {
    let log = Log::new().await;
    log.tenant("acme", 0).await;
    for change in [vec!["activate", "acme"], vec!["suspend", "acme", "--reason", "Unpaid bills."]] {
        assert_eq!(tenants(&log, &change).code, Some(0));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let listed = log.start(&["tenants", "list", "--json"]).end();
        assert_eq!(listed.code, Some(0), "{listed:?}");
        let tenant: Value = serde_json::from_str(listed.output.lines().next().unwrap()).unwrap();
        // Transactions of other tests hold the table back, which is said then.
        if tenant["status"] == "suspended" {
            return;
        }
        assert!(listed.errors.contains("newest"), "{listed:?}");
        assert!(Instant::now() < deadline, "{listed:?}");
    }
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let log = Log::new().await;
    let ended = log.start(&["tenants", "--as", "", "suspend", "No Slug", "--reason", ""]).end();
    for field in ["--as", "ID|SLUG", "--reason"] {
        assert_refused(&ended, field);
    }
    assert_refused(&tenants(&log, &["resume", "nobody"]), "no tenant has the slug");
}
