//! Repeating a request safely: how the client names it, and what it asked for.

use std::fmt;
use std::str::FromStr;

/// Longest key, in characters.
const LONGEST: usize = 128;

/// A client's name for one request. Every repeat of the request carries the same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 128 visible ASCII characters without spaces")]
pub struct NoIdempotencyKey;

impl FromStr for IdempotencyKey {
    type Err = NoIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, NoIdempotencyKey> {
        let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(NoIdempotencyKey) }
    }
}

/// SHA-256 over all that a request asks for, so that a key cannot stand for two different requests.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestHash(pub [u8; 32]);

impl fmt::Debug for RequestHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// What makes a request recognizable: it is kept with the events that the request causes, and a repeat is answered by
/// it instead of being decided again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The client's name for the request.
    pub key: IdempotencyKey,
    /// The frozen name of the operation that was asked for.
    pub operation: &'static str,
    /// What it was asked to do.
    pub request_hash: RequestHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_short_visible_word() {
        let longest = "k".repeat(LONGEST);
        for good in ["a", "~!", "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10", &longest] {
            assert_eq!(good.parse::<IdempotencyKey>().unwrap().as_str(), good);
        }
        let too_long = "k".repeat(LONGEST + 1);
        for bad in ["", " ", "two words", "tab\t", "ключ", "\u{7f}", &too_long] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(NoIdempotencyKey), "{bad:?}");
        }
    }
}
