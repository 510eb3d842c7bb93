//! An event of a company's history as a sentence.
//!
//! A sentence is made of the event's name and of those of its fields that the reader is shown, and of nothing else: it can tell
//! no more than they do. In a pattern, a part in brackets is left out where a field in it is not shown; a field of a field is
//! named by its path. Fields stand in brackets only, so that there is always a sentence.

mod en;
mod ru;

use domain::values::Language;
use serde_json::{Map, Value};

/// The longest text of a field that a sentence repeats, in characters.
const LONGEST: usize = 200;

/// What a language has for events.
struct Texts {
    /// The pattern of each event.
    patterns: &'static [(&'static str, &'static str)],
    /// What to say for a field's value, where that is one of Synkro's own words.
    words: &'static [(&'static str, &'static str, &'static str)],
}

/// The sentence for an event with these fields. Of an event that this version of Synkro does not know it is the name alone.
pub(super) fn sentence(event: &str, shown: &Map<String, Value>, language: Language) -> String {
    let texts = match language {
        Language::English => &en::TEXTS,
        Language::Russian => &ru::TEXTS,
    };
    match texts.patterns.iter().find(|(name, _)| *name == event) {
        Some((_, pattern)) => texts.fill(pattern, shown),
        None => event.to_owned(),
    }
}

impl Texts {
    fn fill(&self, pattern: &str, shown: &Map<String, Value>) -> String {
        let mut sentence = String::new();
        let mut rest = pattern;
        while let Some((before, behind)) = rest.split_once('[') {
            let (part, behind) = behind.split_once(']').unwrap_or((behind, ""));
            sentence.push_str(before);
            sentence.push_str(&self.part(part, shown).unwrap_or_default());
            rest = behind;
        }
        sentence.push_str(rest);
        sentence
    }

    /// The part with its fields; none where one is not shown.
    fn part(&self, part: &str, shown: &Map<String, Value>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = part;
        while let Some((before, behind)) = rest.split_once('{') {
            let (path, behind) = behind.split_once('}')?;
            filled.push_str(before);
            filled.push_str(&self.text(path, shown)?);
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn text(&self, path: &str, shown: &Map<String, Value>) -> Option<String> {
        let mut names = path.split('.');
        let first = shown.get(names.next()?)?;
        let text = match names.try_fold(first, |value, name| value.get(name))? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(items) => items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?.join(", "),
            Value::Null | Value::Bool(_) | Value::Object(_) => return None,
        };
        let field = path.rsplit('.').next()?;
        let word = self.words.iter().find(|(of, value, _)| *of == field && *value == text);
        Some(word.map_or_else(|| shortened(&text), |(_, _, word)| (*word).to_owned()))
    }
}

/// Without the full stop that the sentence has itself, and not without end.
fn shortened(text: &str) -> String {
    let text = text.strip_suffix('.').unwrap_or(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use domain::access::{Reach, ReachSet};
    use domain::events::CATALOGUE;
    use serde_json::json;

    use super::*;
    use crate::access::shape::Sight;
    use crate::access::shape::history::tests::entry;

    /// The stored form of every event: its name and its fields.
    fn golden() -> Vec<(String, Map<String, Value>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/tests/golden");
        let mut events = Vec::new();
        for aggregate in fs::read_dir(folder).unwrap() {
            for file in fs::read_dir(aggregate.unwrap().path()).unwrap() {
                let text = fs::read_to_string(file.unwrap().path()).unwrap();
                let mut fields: Map<String, Value> = serde_json::from_str(&text).unwrap();
                let Some(Value::String(name)) = fields.remove("type") else { panic!("an event has a name: {text}") };
                events.push((name, fields));
            }
        }
        assert!(events.len() > 90, "{} golden events", events.len());
        events
    }

    fn leaves(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.trim_end_matches('.').to_owned()),
            Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| leaves(field, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Seen to fail: with the pattern of `UserInvited` taken out of one language, and with a field outside of brackets.
    #[test]
    fn every_event_has_a_sentence_in_each_language() {
        for texts in [&en::TEXTS, &ru::TEXTS] {
            let mut known: Vec<&str> = texts.patterns.iter().map(|(name, _)| *name).collect();
            let mut all: Vec<&str> = CATALOGUE.iter().flat_map(|(_, events)| *events).map(|(name, _)| *name).collect();
            known.sort_unstable();
            all.sort_unstable();
            assert_eq!(known, all, "an event without a sentence, or a sentence without an event");
        }
        for (name, fields) in golden() {
            for language in [Language::English, Language::Russian] {
                for shown in [&fields, &Map::new()] {
                    let sentence = sentence(&name, shown, language);
                    assert!(sentence.ends_with('.') && !sentence.contains(['{', '}', '[', ']']), "{name}: {sentence}");
                    assert!(sentence.is_ascii() != (language == Language::Russian), "{name}: {sentence}");
                }
            }
        }
    }

    /// Every field that a pattern names is one that the event has in one of its forms.
    #[test]
    fn patterns_name_fields_that_there_are() {
        let golden = golden();
        for texts in [&en::TEXTS, &ru::TEXTS] {
            for (event, pattern) in texts.patterns {
                for field in pattern.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0) {
                    let mut forms = golden.iter().filter(|(name, _)| name == event);
                    assert!(forms.any(|(_, fields)| texts.text(field, fields).is_some()), "{event} has no {field}");
                }
            }
        }
    }

    /// What is hidden from a reader is in none of the words. Seen to fail: with a sentence made of all fields.
    #[test]
    fn a_sentence_tells_no_more_than_the_fields_that_are_shown() {
        for (name, fields) in golden() {
            for reach in [Reach::Anonymized, Reach::Limited, Reach::Stats, Reach::Own] {
                let sight = Sight::of_others(ReachSet::of(&[reach]));
                for language in [Language::English, Language::Russian] {
                    let entry = sight.entry(entry(&name, Value::Object(fields.clone())), language);
                    let (mut all, mut told) = (Vec::new(), Vec::new());
                    leaves(&Value::Object(fields.clone()), &mut all);
                    leaves(&Value::Object(entry.fields.clone()), &mut told);
                    let bare = sentence(&name, &Map::new(), language);
                    assert!(!told.is_empty() || entry.summary == bare, "{name} to {reach}: {}", entry.summary);
                    for hidden in all.iter().filter(|text| !text.is_empty() && !told.contains(text)) {
                        let said = |sentence: &str| sentence.matches(hidden.as_str()).count();
                        assert_eq!(said(&entry.summary), said(&bare), "{name} to {reach}: {}", entry.summary);
                    }
                }
            }
        }
    }

    #[test]
    fn a_sentence_says_what_is_shown_and_leaves_the_rest_out() {
        let said = |event: &str, fields: Value, language| {
            let Value::Object(fields) = fields else { panic!("an event has fields") };
            sentence(event, &fields, language)
        };
        let invited = json!({"email": "ann@acme.example", "role": "user"});
        assert_eq!(
            said("UserInvited", invited.clone(), Language::English),
            "Somebody was invited: ann@acme.example, with the role user."
        );
        assert_eq!(
            said("UserInvited", json!({"role": "user"}), Language::English),
            "Somebody was invited, with the role user."
        );
        assert_eq!(said("UserInvited", invited, Language::Russian), "Приглашён человек: ann@acme.example, роль user.");
        let failed = json!({"step": "analyse", "failure": {"message": "AI: {no} [key]."}});
        assert_eq!(said("StepFailed", failed, Language::English), "An attempt failed: the analysis: AI: {no} [key].");
        assert_eq!(said("NobodyKnowsThis", json!({"name": "Ann"}), Language::Russian), "NobodyKnowsThis");
    }
}
