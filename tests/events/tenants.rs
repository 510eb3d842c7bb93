//! `synkro tenants`: a company's way from its first day to its last.

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
    for change in [
        vec!["activate", "acme"],
        vec!["rename", "acme", "--name", "Acme Ltd"],
        vec!["suspend", "acme", "--reason", "Unpaid bills."],
        vec!["offboard", &id, "--reason", "They leave."],
    ] {
        assert!(tenants(&log, &change).lines().eq(["Done."]), "{change:?}");
    }
    assert_refused(&tenants(&log, &["close", "acme"]), "export it first");
    assert_refused(&tenants(&log, &["export", "globex", "--out", "globex.jsonl"]), "not being offboarded");
    let export = tenants(&log, &["--json", "export", "acme", "--out", "acme.jsonl"]);
    let exported: Value = serde_json::from_str(&export.output).unwrap();
    let lines = std::fs::read_to_string(log.folder.path().join("acme.jsonl")).unwrap().lines().count();
    assert_eq!((exported["events"].as_u64(), lines), (Some(7), 7), "the tenant, two users, and four changes");
    assert!(tenants(&log, &["close", "acme"]).lines().eq(["Done."]));
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

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let log = Log::new().await;
    let ended = log.start(&["tenants", "--as", "", "suspend", "No Slug", "--reason", ""]).end();
    for field in ["--as", "ID|SLUG", "--reason"] {
        assert_refused(&ended, field);
    }
    assert_refused(&tenants(&log, &["resume", "nobody"]), "no tenant has the slug");
}
