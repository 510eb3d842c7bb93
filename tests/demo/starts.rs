//! Starting the demo: again, anew, on bad data, on a folder that is taken.

use std::fs;

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

/// All services that the company is connected to are stand-ins, and each is called; the program's guard on addresses
/// refuses every other one (its own tests are in `infrastructure`).
#[test]
fn nothing_but_the_stand_ins_is_called() {
    let demo = Demo::new(None);
    demo.result();
    let ports: Value =
        serde_json::from_str(&fs::read_to_string(demo.data_dir().join("services/ports.json")).unwrap()).unwrap();
    let journal = fs::read_to_string(demo.journal()).unwrap();
    for service in ["amocrm", "radist", "supabase", "gemini", "telegram"] {
        assert!(ports[service].is_u64(), "{ports}");
        assert!(journal.contains(&format!("\"service\":\"{service}\"")), "{service} was not called");
    }
}
