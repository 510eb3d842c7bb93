//! Texts that nobody may ever read, and the check that nobody can.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::sync::{Arc, Mutex, PoisonError};

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

    /// Fails where a secret, or its last ten characters, is in the text. The failure does not show it.
    #[track_caller]
    pub fn assert_none_in(&self, text: &str, place: &str) {
        for secret in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let tail = &secret[secret.len().saturating_sub(TELLING_TAIL)..];
            if let Some(at) = text.find(tail) {
                let from = (at.saturating_sub(60)..=at).find(|index| text.is_char_boundary(*index)).unwrap_or(at);
                panic!("a secret is in {place}, after: {:?}", &text[from..at]);
            }
        }
    }
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
