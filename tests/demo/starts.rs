//! Starting the demo: again, anew, on bad data, on a folder that is taken.

use std::fs;

use infrastructure::database::Database;
use reqwest::Url;
use serde_json::Value;
use testkit::TestDatabase;
use testkit::settings::{BACKEND, setting};

use crate::outcome::{comparable, outside};
use crate::program::Demo;

fn files(demo: &Demo) -> usize {
    fs::read_dir(demo.data_dir()).map_or(0, Iterator::count)
}

#[test]
fn a_second_start_repeats_nothing_and_prints_the_same() {
    let demo = Demo::new(None);
    let first = demo.result();
    let calls = fs::read_to_string(demo.journal()).unwrap();
    assert_eq!(demo.result(), first);
    assert_eq!(fs::read_to_string(demo.journal()).unwrap(), calls, "a finished demo called someone");
}

#[test]
fn the_server_gives_the_same_report_as_the_embedded_database() {
    if setting(BACKEND).as_deref() == Some("embedded") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::unmigrated());
    let (server, embedded) = (Demo::new(database.url()), Demo::new(None));
    let (on_server, in_process) = (server.result(), embedded.result());
    assert_eq!(comparable(on_server.clone()), comparable(in_process));
    assert_eq!(outside(&server), outside(&embedded));
    assert_eq!(server.result(), on_server);
    assert!(!server.data_dir().join("postgres").exists(), "the embedded database was made beside the server");
}

#[test]
fn fresh_forgets_what_was_there() {
    let demo = Demo::new(None);
    let first = demo.result();
    let fresh = demo.finish(&["--fresh"]).json();
    assert_ne!(fresh["run"]["id"], first["run"]["id"]);
    assert_eq!(comparable(fresh), comparable(first));
    assert_eq!(outside(&demo).telegram_messages, 2);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_half_loaded() {
    let demo = Demo::new(None);
    let good = fs::read_to_string(demo.data_file()).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let bad = [lines[0], "{\"dialog_id\": 7}", lines[1], "not json"].join("\n");
    demo.write_data(&bad);
    let ended = demo.finish(&[]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{ended:?}");
    for part in ["error:", "dialogues.jsonl", "line 2", "line 4"] {
        assert!(ended.errors.contains(part), "{part:?} is not in: {}", ended.errors);
    }
    assert_eq!(files(&demo), 0, "something was made before the data was read");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let demo = Demo::new(None);
    for (data, reason) in [("", "no dialogue"), ("\u{1f}\u{8b}", "line 1")] {
        demo.write_data(data);
        let ended = demo.finish(&[]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.errors.contains(reason), "{reason:?} is not in: {}", ended.errors);
    }
    fs::remove_file(demo.data_file()).unwrap();
    assert!(demo.finish(&[]).errors.contains("cannot read"));
    assert_eq!(files(&demo), 0);
}

#[test]
fn other_data_on_the_same_folder_is_refused() {
    let demo = Demo::new(None);
    let first = demo.result();
    let data = fs::read_to_string(demo.data_file()).unwrap();
    demo.write_data(&data.lines().take(11).collect::<Vec<_>>().join("\n"));
    let ended = demo.finish(&[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains("other dialogues") && ended.errors.contains("--fresh"), "{}", ended.errors);
    demo.write_data(&data);
    assert_eq!(demo.result(), first, "the refused start changed something");
}

#[test]
fn two_demos_cannot_share_a_folder() {
    let demo = Demo::new(None);
    let mut first = demo.start(&[]);
    assert!(first.says("step 1/8"));
    let second = demo.finish(&[]);
    assert_eq!(second.code, Some(1));
    assert!(second.errors.contains("another synkro process uses the data folder"), "{}", second.errors);
    assert_eq!(first.end().json()["run"]["status"], "completed");
}

/// The addresses of the company's integrations are those of the stand-ins, and each stand-in is called. What an answer
/// might name beside them is refused by the program's guard on addresses (its own tests are in `infrastructure`).
#[tokio::test]
async fn nothing_but_the_stand_ins_is_called() {
    let demo = Demo::new(None);
    demo.result();
    let ports = fs::read_to_string(demo.data_dir().join("services/ports.json")).unwrap();
    let ports: Value = serde_json::from_str(&ports).unwrap();
    let journal = fs::read_to_string(demo.journal()).unwrap();
    let mut stand_ins = Vec::new();
    for (kind, service) in [
        ("ai", "gemini"),
        ("amocrm", "amocrm"),
        ("radist", "radist"),
        ("supabase", "supabase"),
        ("telegram", "telegram"),
    ] {
        assert!(journal.contains(&format!("\"service\":\"{service}\"")), "{service} was not called");
        stand_ins.push((kind.to_owned(), format!("127.0.0.1:{}", ports[service].as_u64().unwrap())));
    }
    assert_eq!(configured_addresses(&demo).await, stand_ins);
}

/// Kind, host and port of every integration that the log says was configured.
async fn configured_addresses(demo: &Demo) -> Vec<(String, String)> {
    let database = Database::embedded(&demo.data_dir().join("postgres")).await.unwrap();
    let configured: Vec<(String, String)> = sqlx::query_as(
        "select payload->'settings'->>'kind', payload->'settings'->>'base_url' from events
         where event_type = 'IntegrationConfigured' order by 1",
    )
    .fetch_all(database.pool())
    .await
    .unwrap();
    let address = |url: &str| {
        let url = Url::parse(url).unwrap();
        format!("{}:{}", url.host_str().unwrap(), url.port_or_known_default().unwrap())
    };
    configured.into_iter().map(|(kind, url)| (kind, address(&url))).collect()
}
