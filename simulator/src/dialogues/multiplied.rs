//! A company of another size, made of the dialogues of a set.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Dialogue, DialogueSet, Message};

/// How large a company is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Dialogues: contacts, deals and chats.
    pub dialogues: usize,
    /// Messages of all dialogues together, at least one each.
    pub messages: usize,
    /// The same seed makes the same company.
    pub seed: u64,
}

/// Why there is no company of a size.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SizeError {
    #[error("there are phones for 1 to {MOST_DIALOGUES} dialogues, not for {0}")]
    Dialogues(usize),
    #[error("{dialogues} dialogues have at least as many messages, not {messages}")]
    Messages { dialogues: usize, messages: usize },
}

/// Area codes with 100 fictitious numbers each, 555-0100 to 555-0199.
const AREAS: [u16; 100] = [
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234,
    239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309,
    310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337, 339, 347, 351, 352, 360, 361,
    386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 424, 425, 430, 432, 434, 435,
    440, 443, 469, 478, 479, 480, 484, 501,
];
const NUMBERS_OF_AREA: usize = 100;
const MOST_DIALOGUES: usize = AREAS.len() * NUMBERS_OF_AREA;

/// Seconds within which all dialogues begin: two weeks.
const SPAN: u64 = 14 * 24 * 3_600;
/// Longest pause between two messages, in seconds.
const LONGEST_PAUSE: u64 = 900;
/// One of so many dialogues is long; one of so many messages goes to the long ones.
const LONG_DIALOGUES: usize = 200;
const LONG_MESSAGES: usize = 10;

impl DialogueSet {
    /// A company of this size whose people say what those of this set say: each dialogue begins as one of the set, in its words
    /// and with its outcome and agent, and goes on with the next one where it is longer. Times and lengths follow from the seed.
    ///
    /// # Errors
    /// Where there are not enough fictitious phones, or fewer messages than dialogues.
    pub fn multiplied(&self, size: Size) -> Result<Self, SizeError> {
        let Size { dialogues, messages, seed } = size;
        if !(1..=MOST_DIALOGUES).contains(&dialogues) {
            return Err(SizeError::Dialogues(dialogues));
        }
        if messages < dialogues {
            return Err(SizeError::Messages { dialogues, messages });
        }
        let mut random = Random(seed);
        let lengths = lengths(dialogues, messages, &mut random);
        let made = lengths.into_iter().enumerate().map(|(place, length)| self.made(place, length, &mut random));
        Ok(Self { dialogues: made.collect() })
    }

    fn made(&self, place: usize, length: usize, random: &mut Random) -> Dialogue {
        let model = random.below(self.dialogues.len());
        let started_at = self.first_message_at() + seconds(random.next() % SPAN);
        let source = &self.dialogues[model];
        Dialogue {
            id: format!("{}-{}", source.id, place + 1),
            started_at,
            phone: format!("+1{}55501{:02}", AREAS[place / NUMBERS_OF_AREA], place % NUMBERS_OF_AREA),
            messages: self.spoken(model, length, started_at, random),
            ..source.clone()
        }
    }

    fn spoken(&self, model: usize, length: usize, began: DateTime<Utc>, random: &mut Random) -> Vec<Message> {
        let (before, from) = self.dialogues.split_at(model);
        let said = from.iter().chain(before).flat_map(|dialogue| &dialogue.messages).cycle();
        let mut at = began;
        let timed = said.take(length).map(|message| {
            let said = Message { at, ..message.clone() };
            at += seconds(1 + random.next() % LONGEST_PAUSE);
            said
        });
        timed.collect()
    }
}

/// How many messages each dialogue has.
fn lengths(dialogues: usize, messages: usize, random: &mut Random) -> Vec<usize> {
    let mut lengths = vec![1; dialogues];
    let long = dialogues.div_ceil(LONG_DIALOGUES);
    for number in dialogues..messages {
        let among = if number % LONG_MESSAGES == 0 { long } else { dialogues };
        lengths[random.below(among)] += 1;
    }
    lengths
}

fn seconds(count: u64) -> TimeDelta {
    TimeDelta::seconds(count.cast_signed())
}

/// `SplitMix64`, by Sebastiano Vigna: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of `0..bound`.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use phonenumber::country;

    use super::*;
    use crate::DEMO_DIALOGUES;

    const SIZE: Size = Size { dialogues: 10_000, messages: 100_000, seed: 1 };

    fn demo() -> DialogueSet {
        DialogueSet::parse(DEMO_DIALOGUES.as_bytes()).unwrap()
    }

    #[test]
    fn a_company_has_the_size_that_was_asked_for_and_speaks_as_the_set_does() {
        let (demo, made) = (demo(), demo().multiplied(SIZE).unwrap());
        assert_eq!((made.len(), made.message_count()), (10_000, 100_000));
        let distinct = |key: fn(&Dialogue) -> &String| made.dialogues().iter().map(key).collect::<HashSet<_>>().len();
        assert_eq!((distinct(|it| &it.phone), distinct(|it| &it.id)), (10_000, 10_000));
        let texts: HashSet<_> = demo.dialogues().iter().flat_map(|it| &it.messages).map(|it| &it.text).collect();
        let messages = || made.dialogues().iter().flat_map(|dialogue| &dialogue.messages);
        assert!(messages().all(|message| texts.contains(&message.text)));
        assert!(messages().map(|message| &message.text).collect::<HashSet<_>>().len() * 10 > texts.len() * 9);
        assert!(made.dialogues().iter().all(|dialogue| dialogue.messages.is_sorted_by_key(|message| message.at)));
        assert!(made.dialogues().iter().filter(|dialogue| dialogue.messages.len() > 100).count() >= 50);
    }

    #[test]
    fn the_same_seed_makes_the_same_company() {
        let made = |seed| demo().multiplied(Size { seed, dialogues: 50, messages: 500 }).unwrap().dialogues().to_vec();
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn every_phone_is_a_number_of_its_country() {
        for dialogue in demo().multiplied(Size { messages: 10_000, ..SIZE }).unwrap().dialogues() {
            let phone = phonenumber::parse(Some(country::US), &dialogue.phone[2..]).unwrap();
            assert!(phone.is_valid(), "{}", dialogue.phone);
        }
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        let refused = |dialogues, messages| demo().multiplied(Size { dialogues, messages, seed: 1 }).unwrap_err();
        assert_eq!(refused(0, 0), SizeError::Dialogues(0));
        assert_eq!(refused(10_001, 20_000), SizeError::Dialogues(10_001));
        assert_eq!(refused(10, 9), SizeError::Messages { dialogues: 10, messages: 9 });
    }
}
