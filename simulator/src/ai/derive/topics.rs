//! What customers write about: content words that many dialogues share, but not nearly all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    answer::{MAX_ITEMS, Topic, listed},
    package::Dialogue,
    words,
};

/// Two words whose dialogues overlap by this share or more are one topic.
const SAME_TOPIC: f64 = 0.7;
/// From this many dialogues on, a word of a single one is no topic.
const ENOUGH: usize = 4;

/// A topic with the places of all dialogues whose customers named it.
pub(super) struct Counted {
    pub(super) name: String,
    pub(super) places: Vec<usize>,
}

/// What is known of one word.
#[derive(Default)]
struct Usage {
    forms: HashMap<String, usize>,
    places: Vec<usize>,
    as_name: usize,
    as_word: usize,
}

/// The leading topics, the most distinctive first; none if no content word was written.
pub(super) fn leading(dialogues: &[Dialogue]) -> Vec<Counted> {
    let mut candidates: Vec<Usage> = usages(dialogues)
        .into_values()
        .filter(|usage| usage.as_word >= usage.as_name)
        .filter(|usage| usage.places.len() > 1 || dialogues.len() < ENOUGH)
        .collect();
    let weight = |usage: &Usage| distinctiveness(usage.places.len(), dialogues.len());
    candidates.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    let mut chosen: Vec<Usage> = Vec::new();
    for usage in candidates {
        if chosen.len() < MAX_ITEMS && chosen.iter().all(|other| overlap(&usage.places, &other.places) < SAME_TOPIC) {
            chosen.push(usage);
        }
    }
    chosen.into_iter().map(Usage::counted).collect()
}

impl Counted {
    pub(super) fn topic(&self, dialogues: &[Dialogue]) -> Topic {
        let ids = self.places.iter().map(|place| dialogues[*place].id.as_str());
        Topic { name: self.name.clone(), dialogue_ids: listed(ids) }
    }
}

/// By stem, so that equal weights keep one order.
fn usages(dialogues: &[Dialogue]) -> BTreeMap<String, Usage> {
    let mut usages: BTreeMap<String, Usage> = BTreeMap::new();
    for (place, dialogue) in dialogues.iter().enumerate() {
        for word in dialogue.customer_messages().flat_map(|message| words::content(&message.text)) {
            let usage = usages.entry(word.stem).or_default();
            *usage.forms.entry(word.form).or_default() += 1;
            if usage.places.last() != Some(&place) {
                usage.places.push(place);
            }
            if word.is_name {
                usage.as_name += 1;
            } else {
                usage.as_word += 1;
            }
        }
    }
    usages
}

/// Grows with the dialogues that share the word, and falls when nearly all of them do.
#[expect(clippy::cast_precision_loss, reason = "counts of dialogues are far below 2^52")]
fn distinctiveness(with_word: usize, all: usize) -> f64 {
    let with_word = with_word as f64;
    with_word * ((all as f64 + 1.0) / with_word).ln()
}

/// Shared dialogues as a part of the larger set.
#[expect(clippy::cast_precision_loss, reason = "counts of dialogues are far below 2^52")]
fn overlap(one: &[usize], other: &[usize]) -> f64 {
    let known: BTreeSet<&usize> = one.iter().collect();
    let shared = other.iter().filter(|place| known.contains(place)).count();
    shared as f64 / one.len().max(other.len()).max(1) as f64
}

impl Usage {
    /// Named by its commonest form; of equally common ones by the first in the alphabet.
    fn counted(self) -> Counted {
        let commonest =
            self.forms.into_iter().max_by(|(one, uses), (other, others)| uses.cmp(others).then_with(|| other.cmp(one)));
        Counted { name: commonest.map(|(form, _)| form).unwrap_or_default(), places: self.places }
    }
}
