//! Words of a text, and which of them are forms of one word. Good enough to count topics in English and Russian.

use super::stopwords;

/// Shorter words name no topic.
const SHORTEST: usize = 3;
/// What an ending must leave of a word.
const SHORTEST_STEM: usize = 4;

/// A content word at its place in a text.
pub(super) struct Word {
    /// In lower case.
    pub(super) form: String,
    /// The same for all forms of a word, as a rule.
    pub(super) stem: String,
    /// Written with a capital where no sentence begins: a name.
    pub(super) is_name: bool,
}

/// The words of a text that can name a topic, in their order.
pub(super) fn content(text: &str) -> impl Iterator<Item = Word> {
    spans(text).filter_map(|(word, starts_sentence)| {
        let form = normal(word);
        if form.chars().count() < SHORTEST || stopwords::is_stopword(&form) {
            return None;
        }
        let is_name = !starts_sentence && word.chars().next().is_some_and(char::is_uppercase);
        let stem = stem(&form);
        (!stopwords::is_stopword(&stem)).then_some(Word { form, stem, is_name })
    })
}

/// All words of a text.
pub(super) fn all(text: &str) -> impl Iterator<Item = String> {
    spans(text).map(|(word, _)| normal(word))
}

/// Runs of letters, and whether a sentence begins there.
fn spans(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut starts_sentence = true;
    text.split_inclusive(|letter: char| !letter.is_alphabetic() && letter != '\'' && letter != '’').filter_map(
        move |piece| {
            let word = piece.trim_matches(|letter: char| !letter.is_alphabetic());
            let starts = starts_sentence;
            if !word.is_empty() {
                starts_sentence = false;
            }
            if piece.ends_with(['.', '!', '?', '\n', ':', '"']) {
                starts_sentence = true;
            }
            (!word.is_empty()).then_some((word, starts))
        },
    )
}

fn normal(word: &str) -> String {
    word.to_lowercase().replace('ё', "е").replace('’', "'")
}

/// The word without its usual endings.
fn stem(form: &str) -> String {
    if form.chars().any(|letter| ('а'..='я').contains(&letter)) { russian(form) } else { english(form) }
}

fn english(form: &str) -> String {
    let word = form.strip_suffix("'s").unwrap_or(form);
    let long_enough = |stem: &&str| stem.len() >= SHORTEST_STEM - 1;
    if let Some(stem) = word.strip_suffix("ies").filter(long_enough) {
        return format!("{stem}y");
    }
    if word.ends_with("ss") {
        return word.to_owned();
    }
    let word = word.strip_suffix('s').filter(long_enough).unwrap_or(word);
    let stem =
        ["ing", "ed"].iter().find_map(|ending| word.strip_suffix(ending).filter(|stem| stem.len() >= SHORTEST_STEM));
    let stem = stem.unwrap_or(word);
    stem.strip_suffix('e').filter(long_enough).unwrap_or(stem).to_owned()
}

/// Endings of nouns, adjectives and verbs, the longest first.
const RUSSIAN_ENDINGS: [&str; 46] = [
    "иями", "ями", "ами", "ого", "его", "ому", "ему", "ыми", "ими", "ете", "ите", "ать", "ять", "ить", "еть", "ией",
    "иях", "ая", "яя", "ое", "ее", "ые", "ие", "ый", "ий", "ой", "ей", "ом", "ем", "ам", "ям", "ах", "ях", "ов", "ев",
    "ую", "юю", "ия", "ию", "ть", "а", "я", "о", "е", "ы", "у",
];
/// Single letters that end a word after the others were tried.
const RUSSIAN_LAST: [char; 4] = ['и', 'ь', 'ю', 'й'];

fn russian(form: &str) -> String {
    let long_enough = |stem: &&str| stem.chars().count() >= SHORTEST_STEM;
    let ending = RUSSIAN_ENDINGS.iter().find_map(|ending| form.strip_suffix(ending).filter(long_enough));
    ending.or_else(|| form.strip_suffix(RUSSIAN_LAST).filter(long_enough)).unwrap_or(form).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> Vec<String> {
        content(text).map(|word| word.stem).collect()
    }

    #[test]
    fn forms_of_a_word_share_a_stem() {
        for forms in [
            "hotel hotels hotel's",
            "booking booked book books",
            "city cities",
            "ресторан ресторана рестораны ресторанов ресторане",
            "гостиница гостиницу гостиницы гостиницей",
            "дешевый дешевого дешёвая дешевые",
        ] {
            let found = stems(forms);
            assert!(found.iter().all(|stem| *stem == found[0]), "{forms}: {found:?}");
        }
    }

    #[test]
    fn names_are_known_by_their_capital_inside_a_sentence() {
        let names: Vec<_> = content("Hotels please. Is Maria there? Rooms").filter(|word| word.is_name).collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].form, "maria");
    }

    #[test]
    fn small_words_are_no_content() {
        assert_eq!(stems("I would like to have it, please!"), Vec::<String>::new());
        assert_eq!(stems("Мне нужно, чтобы вы это мне, спасибо"), Vec::<String>::new());
    }
}
