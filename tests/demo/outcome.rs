//! What must be the same however often the demo was killed.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::program::Demo;

/// The printed object without what differs between any two demos, or counts what a kill may cost.
pub(crate) fn comparable(mut printed: Value) -> Value {
    printed["report"]["id"] = Value::Null;
    printed["events"] = Value::Null;
    for run in ["run", "day_run"] {
        printed[run]["id"] = Value::Null;
        for step in printed[run]["steps"].as_array_mut().unwrap() {
            step["ms"] = Value::Null;
            step["attempts"] = Value::Null;
            if step["name"] == "notify" && step["status"] == "uncertain" {
                step["status"] = json!("completed");
            }
        }
    }
    printed["telegram_messages"] = Value::Null;
    printed["telegram_charts"] = Value::Null;
    printed
}

/// What the stand-ins hold, read from their own files.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) deals: usize,
    pub(crate) chats: usize,
    pub(crate) messages: usize,
    pub(crate) reports: usize,
    pub(crate) telegram_messages: usize,
}

/// Fails where a message went out twice. Every run's message names its days, so that equal texts are one message.
pub(crate) fn outside(demo: &Demo) -> Outside {
    let rows = rows(demo);
    let count = |table: &str| rows.iter().filter(|(name, _)| name == table).count();
    let texts: Vec<String> = lines(demo, "telegram.ndjson").iter().map(|line| line["text"].to_string()).collect();
    let distinct: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "a message was sent twice: {texts:#?}");
    Outside {
        deals: count("synkro_deals"),
        chats: count("synkro_chats"),
        messages: count("synkro_messages"),
        reports: count("synkro_reports"),
        telegram_messages: texts.len(),
    }
}

/// Table and content of all rows without their keys' help: a row that was written again under another key counts twice.
fn rows(demo: &Demo) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for record in lines(demo, "supabase.ndjson") {
        let table = record["table"].as_str().unwrap();
        for row in record["rows"].as_array().unwrap() {
            let id = ["chat_id", "message_id", "deal_id", "id"].map(|column| row[column].to_string()).join(" ");
            found.insert((table.to_owned(), id));
        }
    }
    found
}

fn lines(demo: &Demo, file: &str) -> Vec<Value> {
    let text = fs::read_to_string(demo.data_dir().join("services").join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Fails unless the demo ended as an undisturbed one does, outside as well as in what it printed. `messages` are those
/// that must have reached the group; each run's may be missing where it is uncertain.
#[track_caller]
pub(crate) fn assert_as_undisturbed(demo: &Demo, printed: &Value, undisturbed: &(Value, Outside), messages: &[usize]) {
    let outside = outside(demo);
    assert!(messages.contains(&outside.telegram_messages), "{outside:?}");
    assert_eq!(printed["telegram_messages"], outside.telegram_messages);
    assert_eq!(printed["telegram_charts"], outside.telegram_messages, "each is a chart with its text");
    let expected = Outside { telegram_messages: outside.telegram_messages, ..undisturbed.1 };
    assert_eq!(outside, expected);
    assert_eq!(comparable(printed.clone()), comparable(undisturbed.0.clone()));
    assert_eq!([&printed["run"]["status"], &printed["day_run"]["status"]], ["completed", "completed"]);
}

/// What a demo that nobody kills prints and leaves behind.
pub(crate) fn undisturbed() -> (Value, Outside) {
    let demo = Demo::new(None);
    let printed = demo.result();
    let outside = outside(&demo);
    let counted = ["deals", "chats", "messages"].map(|name| printed[name].as_u64().unwrap());
    assert_eq!(counted, [outside.deals as u64, outside.chats as u64, outside.messages as u64]);
    assert_eq!((outside.reports, outside.telegram_messages), (2, 2), "one of each for the two runs");
    assert_eq!(printed["run"]["steps"].as_array().unwrap().len(), 8);
    (printed, outside)
}
