//! Dialogues of a company with its customers, read from a file of one JSON object a line.
//!
//! Nothing is half-loaded: one bad line fails the whole file, and the error names every bad line.

mod error;
mod line;
mod multiplied;

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use chrono::{DateTime, TimeDelta, Utc};

pub use error::{BadLine, BadLines, DialogueFileError, LineProblem};
pub use multiplied::{Size, SizeError};

/// STAR's chats took place in May 2020; 316 weeks later they fall into the period of the other sources, on the same
/// weekdays (`simulator/data/README.md`).
const STAR_SHIFT: TimeDelta = TimeDelta::days(2212);
const STAR_PREFIX: &str = "star-";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Customer,
    Agent,
}

/// Where a dialogue's times come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeBasis {
    /// Recorded when the messages were written.
    Source,
    /// Made up afterwards: they say nothing about how fast anybody answered.
    Derived,
}

/// One message of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: DateTime<Utc>,
    pub from: Speaker,
    pub text: String,
}

/// One conversation of a customer with an agent, as its line in the file says (times of STAR already shifted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    pub id: String,
    pub source: String,
    pub started_at: DateTime<Utc>,
    pub customer_name: Option<String>,
    /// E.164; no two dialogues of a set share one.
    pub phone: String,
    pub agent_name: Option<String>,
    /// The source's own short reference of the agent (`meta.agent_ref`).
    pub agent_ref: Option<String>,
    pub outcome: Option<String>,
    /// ISO 639-1 code (`meta.lang`).
    pub lang: Option<String>,
    pub time_basis: TimeBasis,
    /// At least one, in the order of time.
    pub messages: Vec<Message>,
}

impl Dialogue {
    /// The time of the first message.
    pub fn first_at(&self) -> DateTime<Utc> {
        self.messages.first().map_or(self.started_at, |message| message.at)
    }

    /// The time of the last message.
    pub fn last_at(&self) -> DateTime<Utc> {
        self.messages.last().map_or(self.started_at, |message| message.at)
    }

    fn shift_star_times(&mut self) {
        if self.id.starts_with(STAR_PREFIX) {
            self.started_at += STAR_SHIFT;
            for message in &mut self.messages {
                message.at += STAR_SHIFT;
            }
        }
    }
}

/// All dialogues of one file. Never empty.
#[derive(Clone, Debug)]
pub struct DialogueSet {
    dialogues: Vec<Dialogue>,
}

impl DialogueSet {
    /// Reads a file in the documented format.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DialogueFileError> {
        let path = path.as_ref();
        let file =
            File::open(path).map_err(|source| DialogueFileError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse(BufReader::new(file)).map_err(|error| error.at_path(path))
    }

    /// Reads dialogues in the documented format from bytes.
    pub fn parse(mut reader: impl BufRead) -> Result<Self, DialogueFileError> {
        let mut collected = Collected::default();
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            if reader.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            if number == 1 && bytes.starts_with(GZIP_MAGIC) {
                return Err(DialogueFileError::Compressed);
            }
            let content = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            let content = if number == 1 { content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content) } else { content };
            collected.add(number, content);
        }
        collected.finish()
    }

    pub fn dialogues(&self) -> &[Dialogue] {
        &self.dialogues
    }

    pub fn len(&self) -> usize {
        self.dialogues.len()
    }

    /// Always false: a file without dialogues does not load.
    pub fn is_empty(&self) -> bool {
        self.dialogues.is_empty()
    }

    pub fn message_count(&self) -> usize {
        self.dialogues.iter().map(|dialogue| dialogue.messages.len()).sum()
    }

    /// The time of the earliest message.
    pub fn first_message_at(&self) -> DateTime<Utc> {
        self.dialogues.iter().map(Dialogue::first_at).min().unwrap_or_default()
    }

    /// The time of the latest message.
    pub fn last_message_at(&self) -> DateTime<Utc> {
        self.dialogues.iter().map(Dialogue::last_at).max().unwrap_or_default()
    }

    /// Dialogues whose times carry no information (`meta.time_basis` is `derived`).
    pub fn derived_time_count(&self) -> usize {
        self.dialogues.iter().filter(|dialogue| dialogue.time_basis == TimeBasis::Derived).count()
    }
}

/// What has been read so far, with everything that is wrong with it.
#[derive(Default)]
struct Collected {
    dialogues: Vec<Dialogue>,
    bad: BadLines,
    lines_by_id: HashMap<String, usize>,
    lines_by_phone: HashMap<String, usize>,
}

impl Collected {
    fn add(&mut self, number: usize, content: &[u8]) {
        match line::read(content).and_then(|dialogue| self.claim_unique(number, dialogue)) {
            Ok(mut dialogue) => {
                dialogue.shift_star_times();
                self.dialogues.push(dialogue);
            }
            Err(problem) => self.bad.add(number, problem),
        }
    }

    fn claim_unique(&mut self, number: usize, dialogue: Dialogue) -> Result<Dialogue, LineProblem> {
        if let Some(first) = self.lines_by_id.get(&dialogue.id) {
            return Err(LineProblem::DuplicateId { id: dialogue.id, first_line: *first });
        }
        if let Some(first) = self.lines_by_phone.get(&dialogue.phone) {
            return Err(LineProblem::DuplicatePhone { first_line: *first });
        }
        self.lines_by_id.insert(dialogue.id.clone(), number);
        self.lines_by_phone.insert(dialogue.phone.clone(), number);
        Ok(dialogue)
    }

    fn finish(self) -> Result<DialogueSet, DialogueFileError> {
        if !self.bad.is_empty() {
            return Err(DialogueFileError::BadLines { path: None, lines: self.bad });
        }
        if self.dialogues.is_empty() {
            return Err(DialogueFileError::Empty);
        }
        Ok(DialogueSet { dialogues: self.dialogues })
    }
}

#[cfg(test)]
mod tests;
