//! Decisions (ADRs) can be found and read: a file such as `docs/adr/0001-short-name.md` begins with a title, says its
//! status, and is listed in `docs/adr/README.md`.

use crate::{assert_none, assert_one, repository};
use std::collections::BTreeMap;

const FOLDER: &str = "docs/adr";
const INDEX: &str = "docs/adr/README.md";

/// The faults of decision records, given as file name and text, and of the text of their index.
fn faults(records: &[(&str, &str)], index: &str) -> Vec<String> {
    let mut faults: Vec<String> = records.iter().flat_map(|(name, text)| faults_of_record(name, text, index)).collect();
    let mut numbered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, _) in records {
        if let Some(number) = number_of(name) {
            numbered.entry(number).or_default().push(name);
        }
    }
    let shared = numbered.into_iter().filter(|(_, names)| names.len() > 1);
    faults.extend(
        shared.map(|(number, names)| format!("{number} is the number of {names:?}: give the later one the next free")),
    );
    faults
}

fn faults_of_record(name: &str, text: &str, index: &str) -> Vec<String> {
    let path = format!("{FOLDER}/{name}");
    let mut faults = Vec::new();
    if number_of(name).is_none() {
        faults.push(format!("{path} has no number: name it like 0001-short-name.md"));
    }
    if !text.lines().next().is_some_and(has_title) {
        faults.push(format!("{path} has no title: its first line must be `# ` and what was decided"));
    }
    if !says_status(text) {
        faults.push(format!("{path} does not say its status: add a line such as `Status: accepted`"));
    }
    if !index.contains(&format!("({name})")) {
        faults.push(format!("{path} is not listed: link it in {INDEX}"));
    }
    faults
}

/// The four digits that a record's file name begins with.
fn number_of(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".md")?.split_once('-')?;
    let numbered = number.len() == 4 && number.bytes().all(|letter| letter.is_ascii_digit());
    (numbered && !words.is_empty()).then_some(number)
}

/// A title says more than the record's number.
fn has_title(line: &str) -> bool {
    line.strip_prefix("# ").is_some_and(|title| {
        title.split_whitespace().any(|word| word != "ADR" && word.chars().any(char::is_alphabetic))
    })
}

/// Either a line `Status: accepted`, marked up or not, or a section of that name with text in it.
fn says_status(text: &str) -> bool {
    let mut lines = text.lines().map(|line| line.trim_start_matches(['-', '*', ' ']).replace("**", ""));
    let in_line = lines.any(|line| line.strip_prefix("Status:").is_some_and(|status| !status.trim().is_empty()));
    let in_section = text.split_once("\n## Status\n").is_some_and(|(_, rest)| {
        rest.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| !line.starts_with('#'))
    });
    in_line || in_section
}

#[test]
fn decisions_can_be_found_and_read() {
    let paths = repository::files(FOLDER, ".md");
    let texts: Vec<(String, String)> = paths
        .into_iter()
        .filter(|path| path != INDEX)
        .map(|path| (path[FOLDER.len() + 1..].to_owned(), repository::read(&path)))
        .collect();
    assert!(!texts.is_empty(), "{FOLDER} holds no decision");
    let records: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_none(&faults(&records, &repository::read(INDEX)));
}

const GOOD: (&str, &str) = ("0001-one-log.md", "# ADR 0001: One log\n\nStatus: accepted\n");
const INDEX_OF_GOOD: &str = "- [One log](0001-one-log.md)";

#[test]
fn a_complete_record_passes() {
    assert_none(&faults(&[GOOD], INDEX_OF_GOOD));
    let marked_up = "# One log\n\n- **Status:** accepted\n";
    let in_a_section = "# One log\n\n## Status\n\nAccepted\n";
    assert_none(&faults(&[(GOOD.0, marked_up)], INDEX_OF_GOOD));
    assert_none(&faults(&[(GOOD.0, in_a_section)], INDEX_OF_GOOD));
}

#[test]
fn what_a_record_lacks_is_found() {
    assert_one(&faults(&[GOOD], ""), &["not listed", INDEX]);
    assert_one(&faults(&[(GOOD.0, "# ADR 0001\n\nStatus: accepted")], INDEX_OF_GOOD), &["no title"]);
    assert_one(&faults(&[(GOOD.0, "# One log\n\nStatus:\n")], INDEX_OF_GOOD), &["status"]);
    assert_one(&faults(&[(GOOD.0, "# One log\n\n## Status\n\n## Context\n")], INDEX_OF_GOOD), &["status"]);
    assert_one(&faults(&[("one-log.md", GOOD.1)], "(one-log.md)"), &["no number"]);
}

#[test]
fn a_number_given_twice_is_found() {
    let index = "(0001-one-log.md) (0001-other.md)";
    assert_one(&faults(&[GOOD, ("0001-other.md", GOOD.1)], index), &["0001", "0001-other.md"]);
}
