//! An answer to a prompt without a package: what it consists of.

use std::collections::BTreeMap;

use super::{language::Language, words};

/// Words that the answer names.
const NAMED: usize = 5;

pub(super) fn answer(prompt: &str) -> String {
    let language = language(prompt);
    let count = words::all(prompt).count();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for word in words::content(prompt) {
        *uses.entry(word.form).or_default() += 1;
    }
    let mut frequent: Vec<(String, usize)> = uses.into_iter().collect();
    frequent.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
    let named: Vec<String> = frequent.iter().take(NAMED).map(|(word, uses)| format!("{word} ({uses})")).collect();
    let named = language.list(&named);
    match (count, named.is_empty()) {
        (0, _) => language.pick("You sent no words.".into(), "Вы не прислали слов.".into()),
        (_, true) => language.pick(
            format!("You sent {count} words, all of them common."),
            format!("Слов в запросе: {count}, все общие."),
        ),
        _ => language.pick(
            format!("You sent {count} words; the most frequent are {named}."),
            format!("Слов в запросе: {count}; чаще всего встречаются {named}."),
        ),
    }
}

/// Russian if most letters are Cyrillic.
fn language(text: &str) -> Language {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    let cyrillic = text.chars().filter(|letter| ('\u{400}'..='\u{4ff}').contains(letter)).count();
    if cyrillic * 2 > letters { Language::Ru } else { Language::En }
}
