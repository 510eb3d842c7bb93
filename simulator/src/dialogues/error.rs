//! What can be wrong with a file of dialogues, in words for the person who brought it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Bad lines that are listed one by one; the rest are counted.
const LISTED: usize = 20;

/// Why a file of dialogues was not loaded. Nothing of it was taken over.
#[derive(Debug, thiserror::Error)]
pub enum DialogueFileError {
    #[error("cannot open {}: {source}. Check the path and that you may read it.", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("reading the dialogues failed: {0}. Check the disk and try again.")]
    Interrupted(#[from] io::Error),
    #[error("the file holds no dialogues. Give a file with one JSON object a line.")]
    Empty,
    #[error("the file is compressed with gzip. Unpack it first (gunzip) and give the unpacked file.")]
    Compressed,
    #[error("{}{lines}", shown(path.as_deref()))]
    BadLines { path: Option<PathBuf>, lines: BadLines },
}

impl DialogueFileError {
    /// Names the file in errors that speak of its lines.
    pub(super) fn at_path(self, file: &Path) -> Self {
        match self {
            Self::BadLines { lines, .. } => Self::BadLines { path: Some(file.to_path_buf()), lines },
            other => other,
        }
    }
}

fn shown(path: Option<&Path>) -> String {
    path.map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

/// All bad lines of a file: the first 20 with their reasons, and how many more there are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BadLines {
    pub first: Vec<BadLine>,
    pub more: usize,
}

impl BadLines {
    pub(super) fn add(&mut self, line: usize, problem: LineProblem) {
        if self.first.len() < LISTED {
            self.first.push(BadLine { line, problem });
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl fmt::Display for BadLines {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.first.len() + self.more;
        let noun = if count == 1 { "line is" } else { "lines are" };
        write!(
            formatter,
            "{count} {noun} not in the documented format, so nothing was loaded. Correct and try again:"
        )?;
        for bad in &self.first {
            write!(formatter, "\n  line {}: {}", bad.line, bad.problem)?;
        }
        if self.more > 0 {
            write!(formatter, "\n  … and {} more", self.more)?;
        }
        Ok(())
    }
}

/// One bad line. Lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLine {
    pub line: usize,
    pub problem: LineProblem,
}

/// The first thing that is wrong with a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    #[error("the line is blank; remove it")]
    Blank,
    #[error("the line is not UTF-8 text; save the file as UTF-8")]
    NotUtf8,
    #[error("not JSON: {reason}; each line must be one complete JSON object")]
    NotJson { reason: String },
    #[error("`{path}` is missing; expected {expected}")]
    Missing { path: String, expected: &'static str },
    #[error("`{path}` is {found}; expected {expected}")]
    Wrong { path: String, expected: &'static str, found: String },
    #[error("`messages` is empty; a dialogue needs at least one message")]
    NoMessages,
    #[error("`{path}` is earlier than the message before it; put the messages in the order of time")]
    OutOfOrder { path: String },
    #[error("`dialog_id` {id:?} is already that of line {first_line}; every dialogue needs its own")]
    DuplicateId { id: String, first_line: usize },
    #[error("`customer.phone` is already that of line {first_line}; every dialogue needs its own")]
    DuplicatePhone { first_line: usize },
}
