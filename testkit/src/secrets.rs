//! Texts that nobody may ever read, and the check that nobody can.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::TestApp;

/// The file of the key-encryption keys, in the folder of a test system.
pub(crate) const KEK_FILE: &str = "kek";

/// How much of a secret's end already tells too much.
const TELLING_TAIL: usize = 10;

/// All secrets of a test system. Clones share them, so that one that is added later is looked for everywhere.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// Looks for this text too from now on.
    pub fn add(&self, secret: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }

    /// The tails by which secrets are looked for.
    fn tails(&self) -> Vec<String> {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().map(|secret| secret[secret.len().saturating_sub(TELLING_TAIL)..].to_owned()).collect()
    }

    /// Fails where a secret, or its last ten characters, is in a file of the folder, whatever the file holds.
    pub fn assert_none_in_files(&self, folder: &Path) {
        let found = files_with(folder, &self.tails());
        assert!(found.is_empty(), "a secret is in {found:?}");
    }

    /// Fails where a secret, or its last ten characters, is in the text. The failure does not show it.
    #[track_caller]
    pub fn assert_none_in(&self, text: &str, place: &str) {
        for tail in self.tails() {
            if let Some(at) = text.find(&tail) {
                let from = (at.saturating_sub(60)..=at).find(|index| text.is_char_boundary(*index)).unwrap_or(at);
                panic!("a secret is in {place}, after: {:?}", &text[from..at]);
            }
        }
    }
}

impl TestApp {
    /// The file of the key-encryption keys, which a process reads when it starts.
    pub fn kek_file(&self) -> PathBuf {
        self.folder.path().join(KEK_FILE)
    }
}

/// The files of a folder and the folders in it that hold one of the texts.
pub fn files_with(folder: &Path, texts: &[String]) -> Vec<PathBuf> {
    let mut grep = Command::new("grep");
    // As bytes, whatever they mean; the texts come by standard input, where no list of processes shows them.
    grep.env("LC_ALL", "C").args(["--recursive", "--text", "--fixed-strings", "--files-with-matches", "--file=-"]);
    let mut grep = grep.arg("--").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("grep");
    let mut input = grep.stdin.take().expect("a pipe");
    input.write_all(texts.join("\n").as_bytes()).expect("grep reads");
    drop(input);
    let output = grep.wait_with_output().expect("grep ends");
    assert!(output.status.code().is_some_and(|code| code < 2), "grep could not read every file: {:?}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_secrets_passes() {
        let secrets = Secrets::default();
        secrets.add("sb_secret_0123456789abcdef");
        secrets.assert_none_in("Settings → Supabase: sb_secret_***", "a page");
    }

    #[test]
    #[should_panic(expected = "a secret is in a page")]
    fn a_secret_that_was_added_later_is_found_by_its_end() {
        let secrets = Secrets::default();
        secrets.clone().add("sb_secret_0123456789abcdef");
        secrets.assert_none_in("ключ: …6789abcdef", "a page");
    }
}
