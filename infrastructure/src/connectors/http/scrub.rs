//! Makes a provider's own words fit to be shown: short, on one line, without the account's secrets.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Longest quotation from a provider, in characters.
const LONGEST_QUOTE: usize = 200;
/// A word that shares this many characters with a secret's beginning or end is taken for a part of it.
const TELLING_PART: usize = 6;
const HIDDEN: &str = "***";

/// Where the services that we know put the words meant for people, in order of preference.
const WORDS_AT: [&str; 9] =
    ["detail", "message", "description", "msg", "error_description", "title", "error", "errors", "hint"];

/// What an error body says to people, whichever known envelope it uses.
pub(super) fn provider_words(body: &Value) -> Option<String> {
    match body {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) => items.first().and_then(provider_words),
        Value::Object(fields) => WORDS_AT.iter().find_map(|name| fields.get(*name).and_then(provider_words)),
        _ => None,
    }
}

/// The words without secrets, shortened to a quotation.
///
/// Providers echo keys whole or with a masked middle, so a word that begins or ends like a secret is hidden too.
pub(super) fn quotation(words: &str, secrets: &[SecretString]) -> String {
    let mut clean = words.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose_secret().trim()).filter(|secret| !secret.is_empty()) {
        clean = clean.replace(secret, HIDDEN);
    }
    let spoken: Vec<&str> =
        clean.split_whitespace().map(|word| if tells(word, secrets) { HIDDEN } else { word }).collect();
    let line: String = spoken.join(" ").chars().filter(|c| !c.is_control()).collect();
    if line.chars().count() <= LONGEST_QUOTE {
        line
    } else {
        line.chars().take(LONGEST_QUOTE - 1).chain(['…']).collect()
    }
}

fn tells(word: &str, secrets: &[SecretString]) -> bool {
    secrets.iter().any(|secret| {
        let secret: Vec<char> = secret.expose_secret().trim().chars().collect();
        if secret.len() < 2 * TELLING_PART {
            return false;
        }
        let head: String = secret.iter().take(TELLING_PART).collect();
        let tail: String = secret.iter().skip(secret.len() - TELLING_PART).collect();
        word.contains(&head) || word.contains(&tail)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_found_in_every_known_envelope() {
        let amocrm = json!({"title": "Unauthorized", "status": 401, "detail": "Invalid user name or password"});
        let google = json!([{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]);
        let telegram = json!({"ok": false, "error_code": 400, "description": "Bad Request: chat not found"});
        let postgrest = json!({"code": "42501", "details": null, "hint": null, "message": "permission denied"});
        assert_eq!(provider_words(&amocrm).unwrap(), "Invalid user name or password");
        assert_eq!(provider_words(&google).unwrap(), "API key not valid.");
        assert_eq!(provider_words(&telegram).unwrap(), "Bad Request: chat not found");
        assert_eq!(provider_words(&postgrest).unwrap(), "permission denied");
        assert_eq!(provider_words(&json!({"status": 500})), None);
    }

    #[test]
    fn secrets_do_not_pass_whole_or_in_part() {
        let secrets = [SecretString::from("sk-abcdef-0123456789-uvwxyz")];
        let whole = quotation("key sk-abcdef-0123456789-uvwxyz is unknown", &secrets);
        assert_eq!(whole, "key *** is unknown");
        assert_eq!(quotation("Incorrect key: sk-abc*********wxyz.", &secrets), "Incorrect key: ***");
        assert_eq!(quotation("Incorrect key: ****uvwxyz", &secrets), "Incorrect key: ***");
    }

    #[test]
    fn a_quotation_is_short_and_on_one_line() {
        assert_eq!(quotation("a\nb\tc\u{7}", &[]), "a b c");
        assert_eq!(quotation(&"x".repeat(500), &[]).chars().count(), LONGEST_QUOTE);
    }
}
