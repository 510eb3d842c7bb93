//! Names, options and marks that the commands on the log share.

use serde_json::{Value, json};
use testkit::program::{Ended, Running, program};

use crate::log::Log;

/// Runs a command that learns of the database by its options alone.
fn without_settings(log: &Log, arguments: &[&str]) -> Ended {
    let mut command = program(env!("CARGO_BIN_EXE_synkro"));
    command.args(["--log", "off"]).args(arguments).current_dir(log.folder.path());
    Running::spawn(command).end()
}

/// Seen to fail: without `global`, the address behind the command was refused.
#[tokio::test]
async fn what_names_the_database_may_stand_before_or_behind_the_command_below() {
    let log = Log::new().await;
    log.tenant("acme", 1).await;
    let url = log.database.url().unwrap();
    let (before, behind) = (["--database-url", &url, "--json"], ["--json", "--database-url", &url]);
    for (command, below) in [("events", "list"), ("projections", "parked"), ("log", "repair-after-restore")] {
        let reason: &[&str] = if command == "log" { &["--reason", "A drill."] } else { &[] };
        let one = without_settings(&log, &[&[command][..], &before, &[below], reason].concat());
        let other = without_settings(&log, &[&[command, below][..], &behind, reason].concat());
        assert_eq!((one.code, &one.output), (Some(0), &other.output), "{other:?}");
        other.json();
    }
}

/// Seen to fail: with an aggregate's type left out of account, nothing was verified and found equal.
#[tokio::test]
async fn tenants_and_aggregates_go_by_the_same_names_everywhere() {
    let log = Log::new().await;
    let (tenant, users) = log.tenant("acme", 2).await;
    let run = |arguments: &[&str]| log.start(&[&["projections", "--json"], arguments].concat()).end();
    let user = format!("user:{}", users[0]);
    let (id, by) = (tenant.to_string(), ["--as", "ops-anna"]);
    for (name, rows) in [("acme", 2), (id.as_str(), 2)] {
        let found = run(&[&["verify", "users", "--tenant", name][..], &by].concat()).json();
        assert_eq!((&found["equal"], &found["tenants"][0]["live_rows"]), (&json!(true), &json!(rows)));
    }
    let one = run(&[&["verify", "users", "--tenant", "acme", "--aggregate", &user][..], &by].concat()).json();
    assert_eq!(one["tenants"][0]["live_rows"], 1);
    assert_eq!(run(&["retry", "users"]).json()["replayed"], 0);
    let none = run(&["retry", "users", "--aggregate", &user]);
    assert!(none.code == Some(1) && none.errors.contains("nothing of this aggregate is parked"), "{none:?}");

    let told = |arguments: &[&str], words: &[&str]| {
        let told = run(&[arguments, &by].concat());
        assert_eq!(told.code, Some(1), "{told:?}");
        for word in words {
            assert!(told.errors.contains(word), "{word}: {told:?}");
        }
    };
    told(&["verify", "users", "--tenant", "A B", "--aggregate", "user"], &["--tenant: ", "--aggregate: "]);
    told(&["verify", "users", "--tenant", "nobody"], &["--tenant: no tenant has the slug nobody"]);
    told(&["verify", "users", "--aggregate", "user:7"], &["--aggregate: "]);
    told(
        &["verify", "users", "--aggregate", &format!("tenant:{id}")],
        &["not made from the type tenant, but from: user"],
    );
    let unparsed = run(&["retry", "users", "--aggregate", "note:1"]);
    assert!(unparsed.code == Some(1) && unparsed.errors.contains("--aggregate: "), "{unparsed:?}");
}

#[tokio::test]
async fn what_a_request_and_an_operator_tell_of_a_person_is_marked() {
    let log = Log::new().await;
    let (_, users) = log.tenant("acme", 1).await;
    let verified = log.start(&["projections", "verify", "users", "--as", "ops-anna", "--json"]).end().json();
    let rebuild = format!("rebuild:{}", verified["rebuild_id"].as_str().unwrap());
    let text = log.lines(&["show", &rebuild, "--sequence", "1"]).join("\n");
    assert!(text.contains("support ops-anna  (personal)"), "{text}");
    let personal = |line: &String| serde_json::from_str::<Value>(line).unwrap()["personal"].clone();
    assert_eq!(personal(&log.lines(&["show", &rebuild, "--json"])[0]), json!(["metadata.actor_id"]));

    sqlx::query(
        "insert into events (tenant_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         select tenant_id, aggregate_type, aggregate_id, 2, 'UserPasswordSet', '1', '{}',
                '{\"actor_kind\": \"user\", \"actor_id\": \"7\", \"ip\": \"192.0.2.7\", \"user_agent\": \"curl\"}'
         from events where aggregate_type = 'user'",
    )
    .execute(log.database.pool())
    .await
    .unwrap();
    let user = format!("user:{}", users[0]);
    let shown = log.lines(&["show", &user, "--sequence", "2", "--json"]);
    assert_eq!(personal(&shown[0]), json!(["metadata.ip", "metadata.user_agent"]));
    let text = log.lines(&["show", &user, "--sequence", "2"]).join("\n");
    assert!(text.contains("192.0.2.7  (personal)") && text.contains("curl  (personal)"));
}

#[tokio::test]
async fn an_export_says_what_it_wrote_as_json_too() {
    let log = Log::new().await;
    log.tenant("acme", 2).await;
    let told = log.run(&["export", "--json", "--out", "log.jsonl"]).json();
    assert_eq!((&told["events"], &told["file"]), (&json!(3), &json!("log.jsonl")));
    let said = log.run(&["export", "--out", "-", "--up-to", told["up_to"].as_str().unwrap(), "--json"]);
    let again: Value = serde_json::from_str(&said.errors).unwrap();
    assert_eq!((&again["sha256"], &again["file"]), (&told["sha256"], &Value::Null));
    assert_eq!(said.output.lines().count(), 3);
}
