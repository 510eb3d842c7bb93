//! Cutting material to what a model reads.
//!
//! Tokens are estimated as one per three bytes of UTF-8, which overstates English (about four bytes a token) and
//! comes close for Cyrillic; a fifth of the limit is left free on top.

use domain::metrics::{Dialogue, Utterance};
use serde::Serialize;

use crate::pipeline::work::StepError;
use crate::ports::services::Prompt;

const BYTES_PER_TOKEN: usize = 3;

/// The least room, in bytes, in which splitting still makes sense.
const LEAST_ROOM: usize = 2_000;

/// Whether the question fits the limit.
pub(super) fn fits(prompt: &Prompt, limit: u32) -> bool {
    size(prompt) <= budget(limit)
}

/// The bytes of material that fit beside the rest of the question.
pub(super) fn room(frame: &Prompt, limit: u32) -> Result<usize, StepError> {
    budget(limit).checked_sub(size(frame)).filter(|room| *room >= LEAST_ROOM).ok_or_else(too_small)
}

/// The failure of a model that reads too little.
pub(super) fn too_small() -> StepError {
    StepError::permanent(
        "the chosen AI model reads too little text for this report",
        "Choose a model with a larger input limit in Settings → AI, or shorten your prompt there.",
    )
}

/// The dialogues in lists that fit the room each. A dialogue that is too long by itself continues in the next list
/// under the same id; nothing is left out.
pub(super) fn dialogues(all: &[Dialogue], room: usize) -> Vec<Vec<Dialogue>> {
    let pieces = all.iter().flat_map(|dialogue| pieces(dialogue, room)).collect();
    groups(pieces, room)
}

/// Items in lists that fit the room each, in their order.
pub(super) fn groups<T: Serialize>(items: Vec<T>, room: usize) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut used = usize::MAX;
    for item in items {
        let bytes = bytes(&item);
        if used.saturating_add(bytes) > room {
            groups.push(Vec::new());
            used = 0;
        }
        used += bytes;
        if let Some(group) = groups.last_mut() {
            group.push(item);
        }
    }
    groups
}

fn pieces(dialogue: &Dialogue, room: usize) -> Vec<Dialogue> {
    let piece = |messages: Vec<Utterance>| Dialogue { messages, ..empty(dialogue) };
    let frame = bytes(&empty(dialogue));
    let messages = dialogue.messages.iter().flat_map(|message| cut(message, (room / 2).saturating_sub(frame)));
    groups(messages.collect(), room.saturating_sub(frame)).into_iter().map(piece).collect()
}

fn empty(dialogue: &Dialogue) -> Dialogue {
    Dialogue {
        id: dialogue.id.clone(),
        agent: dialogue.agent.clone(),
        outcome: dialogue.outcome,
        language: dialogue.language.clone(),
        messages: Vec::new(),
    }
}

/// A message whose text alone does not fit, in several messages of the same time.
fn cut(message: &Utterance, most: usize) -> Vec<Utterance> {
    if bytes(message) <= most {
        return vec![message.clone()];
    }
    let chars: Vec<char> = message.text.chars().collect();
    let longest_char = 6;
    let texts = chars.chunks((most / longest_char).max(1)).map(|chunk| chunk.iter().collect::<String>());
    texts.map(|text| Utterance { at: message.at, from: message.from, text }).collect()
}

fn size(prompt: &Prompt) -> usize {
    prompt.system.len() + prompt.user.len() + prompt.schema.to_string().len()
}

fn budget(limit: u32) -> usize {
    (limit as usize).saturating_mul(BYTES_PER_TOKEN) / 5 * 4
}

fn bytes<T: Serialize>(item: &T) -> usize {
    serde_json::to_string(item).map_or(usize::MAX, |text| text.len() + 1)
}
