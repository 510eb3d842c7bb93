//! The messages of a chat: newest first, paged by time.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Refusal, limit, ok, shown};
use crate::{
    dialogues::{Dialogue, Speaker},
    http::{Incoming, Reply},
    world::{CONNECTION, Case, World, message_id},
};

pub(super) fn page(world: &World, call: &Incoming) -> Result<Reply, Refusal> {
    let case = call
        .param("chat_id")
        .ok_or(Refusal::BadParameter("chat_id is missing"))?
        .parse()
        .ok()
        .and_then(|id| world.case_of_chat(id))
        .ok_or(Refusal::NotFound)?;
    let until = match call.param("until") {
        None | Some("") => None,
        Some(text) => Some(read_time(text).ok_or(Refusal::BadParameter("until is not an ISO 8601 time"))?),
    };
    let dialogue = world.dialogue(case);
    let newest_first = (0..dialogue.messages.len()).rev();
    let page: Vec<Value> = newest_first
        .filter(|place| until.is_none_or(|until| dialogue.messages[*place].at <= until))
        .take(limit(call))
        .map(|place| message(case, dialogue, place))
        .collect();
    Ok(ok(&Value::Array(page)))
}

fn message(case: &Case, dialogue: &Dialogue, place: usize) -> Value {
    let message = &dialogue.messages[place];
    let direction = match message.from {
        Speaker::Customer => "inbound",
        Speaker::Agent => "outbound",
    };
    json!({
        "message_id": message_id(dialogue, place),
        "chat_id": case.chat_id(),
        "connection_id": CONNECTION,
        "created_at": shown(message.at),
        "direction": direction,
        "message_type": "text",
        "text": {"text": message.text},
    })
}

/// `…Z`, `…+00:00` or `…+0000`; a plus sign that the caller forgot to encode arrives as a blank.
fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replace(' ', "+");
    DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .map(|at| at.with_timezone(&Utc))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_time_are_the_same_instant() {
        for text in [
            "2026-11-20T08:15:30.123+00:00",
            "2026-11-20T08:15:30.123+0000",
            "2026-11-20T08:15:30.123Z",
            "2026-11-20T08:15:30.123 00:00",
        ] {
            assert_eq!(read_time(text).map(|at| at.timestamp_millis()), Some(1_795_162_530_123), "{text}");
        }
        assert_eq!(read_time("yesterday"), None);
    }
}
