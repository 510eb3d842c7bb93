//! The demo as the README shows it: on all the dialogues that the program brings along.

use serde_json::json;

use crate::outcome::{Outside, outside};
use crate::program::{Demo, watch_memory};

/// The most memory that the whole demo may hold, in bytes, the embedded database and the stand-ins included.
const MOST_MEMORY: u64 = 600_000_000;

#[test]
fn all_dialogues_become_a_report_in_bounded_memory() {
    let demo = Demo::of_committed_data();
    let program = demo.start(&[]);
    let memory = watch_memory(&program);
    let printed = program.end().json();

    let counted =
        ["deals", "chats", "messages", "telegram_messages", "telegram_charts"].map(|name| printed[name].clone());
    assert_eq!(counted, [json!(300), json!(300), json!(4363), json!(2), json!(2)]);
    assert_eq!(printed["run"]["status"], "completed");
    let steps = printed["run"]["steps"].as_array().unwrap();
    let statuses: Vec<&str> = steps.iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["completed"; 8]);
    let expected = Outside { deals: 300, chats: 300, messages: 4363, reports: 2, telegram_messages: 2 };
    assert_eq!(outside(&demo), expected);

    let most = memory.join().unwrap();
    assert!(most.is_some() || !cfg!(target_os = "linux"), "its memory was not seen");
    assert!(most.unwrap_or_default() < MOST_MEMORY, "it held {most:?} bytes");
}
