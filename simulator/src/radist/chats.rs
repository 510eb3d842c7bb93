//! The list of contacts with their chats: newest first, paged by an opaque cursor.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{Refusal, limit, ok, shown};
use crate::{
    dialogues::Speaker,
    http::{Incoming, Reply},
    world::{CONNECTION, Case, World},
};

/// Places of the world's cases, the chat that was written to last first.
pub(super) struct ChatList {
    newest_first: Vec<usize>,
}

impl ChatList {
    pub(super) fn of(world: &World) -> Self {
        let mut newest_first: Vec<usize> = (0..world.cases.len()).collect();
        newest_first.sort_by_key(|place| Reverse(world.dialogue(&world.cases[*place]).last_at()));
        Self { newest_first }
    }

    pub(super) fn page(&self, world: &World, call: &Incoming) -> Result<Reply, Refusal> {
        let start = match call.param("cursor") {
            None | Some("") => 0,
            Some(cursor) => read_cursor(cursor)
                .filter(|start| *start <= self.newest_first.len())
                .ok_or(Refusal::BadParameter("The cursor is not one of this list"))?,
        };
        let end = (start + limit(call).max(1)).min(self.newest_first.len());
        let data: Vec<Value> =
            self.newest_first[start..end].iter().map(|place| contact(world, &world.cases[*place])).collect();
        let next = if end < self.newest_first.len() { write_cursor(end) } else { String::new() };
        Ok(ok(&json!({"data": data, "response_metadata": {"next_cursor": next}})))
    }
}

fn contact(world: &World, case: &Case) -> Value {
    let dialogue = world.dialogue(case);
    let updated = shown(dialogue.last_at());
    let phone = dialogue.phone.trim_start_matches('+');
    let unanswered = dialogue.messages.iter().rev().take_while(|message| message.from == Speaker::Customer).count();
    json!({
        "contact_id": case.messenger_contact_id(),
        "contact_name": case.contact_name,
        "avatar_url": null,
        "is_group": false,
        "unanswered_count": unanswered,
        "last_chat_updated_at": updated,
        "chats": [{
            "chat_id": case.chat_id(),
            "connection_id": CONNECTION,
            "source_chat_id": phone,
            "phone": phone,
            "last_message": {"created_at": updated},
        }],
    })
}

/// Callers must not calculate with cursors, so they do not look like numbers.
const MASK: u64 = 0x5a3c_96e1_7d24_b08f;

fn write_cursor(place: usize) -> String {
    format!("c{:016x}", place as u64 ^ MASK)
}

fn read_cursor(cursor: &str) -> Option<usize> {
    let masked = u64::from_str_radix(cursor.strip_prefix('c')?, 16).ok()?;
    usize::try_from(masked ^ MASK).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_lead_back_to_their_place() {
        for place in [0, 1, 100, 7_577] {
            assert_eq!(read_cursor(&write_cursor(place)), Some(place));
        }
        assert_eq!(read_cursor("100"), None);
    }
}
