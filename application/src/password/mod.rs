//! Passwords that are being chosen. Those that are only compared need not follow the rules of today.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use domain::FieldError;
use secrecy::{ExposeSecret, SecretString};

use crate::error::AppError;

/// The fewest characters.
const SHORTEST: usize = 12;

/// The most characters, so that nobody has the server hash a book.
const LONGEST: usize = 256;

/// Passwords that others are known to have used, in lower case, from the list of zxcvbn (see `common.LICENSE.txt`).
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Rows of keys that fingers run along.
const RUNS: [&str; 5] = ["01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// A password that follows the rules. It cannot be printed.
///
/// It has 12 to 256 characters, is none that many use, and not the name of the user or of the company. What characters it is
/// made of is left to its owner.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// A password for someone who is known by these names, such as the e-mail address and the company's name.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with the field's name.
    pub fn new(text: SecretString, names: &[&str]) -> Result<Self, &'static str> {
        let password = text.expose_secret();
        let length = password.chars().count();
        if length < SHORTEST {
            return Err("must have at least 12 characters; a sentence is easy to remember");
        }
        if length > LONGEST {
            return Err("must have at most 256 characters");
        }
        if is_common(password) {
            return Err("is one of those that are guessed first; choose another one");
        }
        if names.iter().any(|name| is_name(password, name)) {
            return Err("must not be the e-mail address or the company's name; choose another one");
        }
        Ok(Self(text))
    }

    /// The same, for an input with this field.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn of_field(field: &str, text: SecretString, names: &[&str]) -> Result<Self, AppError> {
        Self::new(text, names).map_err(|message| AppError::invalid(vec![FieldError::new(field, message)]))
    }

    /// A password that somebody has already, whatever the rules of today say about it.
    pub(crate) fn verified(text: SecretString) -> Self {
        Self(text)
    }

    /// The password, for the one who hashes it.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether what is left of a password without what people add to make it look like another one is in the list: upper
/// case, signs, digits at either end, digits and signs in place of letters, and the same again.
fn is_common(password: &str) -> bool {
    let plain = plain(&password.replace('@', "a").replace('$', "s"));
    let core = plain.trim_matches(|c: char| c.is_ascii_digit());
    let letters: String = core.chars().map(as_letter).collect();
    [plain.as_str(), core, letters.as_str()].into_iter().any(|text| {
        let unit = repeated_unit(text);
        COMMON.contains(text) || COMMON.contains(unit) || unit.chars().count() < 4 || is_run(text)
    })
}

/// Whether the password is the name, whole or up to the `@`, with nothing but digits and signs around it.
fn is_name(password: &str, name: &str) -> bool {
    let core = |text: &str| plain(text).trim_matches(|c: char| c.is_ascii_digit()).to_owned();
    let local = name.split('@').next().unwrap_or_default();
    let (password, names) = (core(password), [core(name), core(local)]);
    names.iter().any(|name| !name.is_empty() && repeated_unit(&password) == name)
}

/// Letters and digits in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The letter that a digit looks like.
fn as_letter(digit: char) -> char {
    match digit {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// The shortest text that the text is repetitions of.
fn repeated_unit(text: &str) -> &str {
    let repeats = |length: &usize| {
        text.is_char_boundary(*length)
            && text.len().is_multiple_of(*length)
            && text.as_bytes().chunks(*length).all(|chunk| chunk == &text.as_bytes()[..*length])
    };
    let unit = (1..text.len()).find(repeats).unwrap_or(text.len());
    &text[..unit]
}

/// Whether the text runs along the alphabet, the digits or a row of keys, in either direction, perhaps beginning anew.
fn is_run(text: &str) -> bool {
    let steps = || text.chars().zip(text.chars().skip(1));
    let along = |row: &&str| {
        steps().all(|(a, b)| {
            let near = [format!("{a}{b}"), format!("{b}{a}")];
            near.iter().any(|pair| row.contains(pair.as_str()))
        })
    };
    !text.is_empty() && RUNS.iter().any(along)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Option<&'static str> {
        Password::new(text.into(), &["ann.smith@acme.example", "Northern Forest"]).err()
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(refused("correct hors").is_none());
        assert!(refused("верныйконь12").is_none());
        assert!(refused("correct hor").is_some_and(|why| why.contains("12")));
        assert!(refused(&"xyzzy plugh ".repeat(30)).is_some_and(|why| why.contains("256")));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        for text in [
            "password1234",
            "P@ssword!2026",
            "123456789012",
            "qwertyuiop[]",
            "qwertyuiopoiuytrewq",
            "aaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "abcdefghijklmnop",
            "Dragon-Dragon-Dragon",
            "1111111111111",
            "il0vey0u2026!",
            "!!!!!!!!!!!!!!!!",
        ] {
            assert!(refused(text).is_some_and(|why| why.contains("guessed first")), "{text}");
        }
    }

    #[test]
    fn the_own_names_are_refused() {
        for text in ["ann.smith@acme.example", "Ann-Smith-2026", "NorthernForest1!", "annsmithannsmith"] {
            assert!(refused(text).is_some_and(|why| why.contains("e-mail")), "{text}");
        }
        assert!(refused("Ann Smith walks home").is_none());
    }

    #[test]
    fn no_kind_of_character_is_asked_for() {
        for text in ["correct horse battery staple", "tr0ub4dor and three", "мой дядя самых честных правил"]
        {
            assert!(refused(text).is_none(), "{text}: {:?}", refused(text));
        }
    }

    #[test]
    fn it_cannot_be_printed() {
        let password = Password::new("correct horse battery".into(), &[]).unwrap();
        assert_eq!(format!("{password:?}"), "***");
    }
}
