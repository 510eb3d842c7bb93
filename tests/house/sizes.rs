//! A file of program code, a script included, fits into a reader's head: at most 400 lines. Tests may be longer, because
//! they are read one at a time.

use crate::{assert_none, assert_one, repository};
use std::collections::BTreeMap;

const MOST_LINES: usize = 400;

/// Folders of shell scripts, whose names have no common ending.
const SCRIPTS: [&str; 2] = ["scripts", ".ci"];

/// Files that are longer for now, with their length. This list only shrinks: a file on it may not grow, and one that got
/// shorter takes its new length here or leaves the list.
const EXCEPTIONS: &[(&str, usize)] = &[];

fn faults(lengths: &BTreeMap<String, usize>, exceptions: &[(&str, usize)]) -> Vec<String> {
    let allowed: BTreeMap<&str, usize> = exceptions.iter().copied().collect();
    let too_long = lengths.iter().filter_map(|(path, &lines)| {
        let most = allowed.get(path.as_str()).copied().unwrap_or(MOST_LINES);
        (lines > most)
            .then(|| format!("{path} has {lines} lines, {most} are allowed: split it by what its parts are about"))
    });
    let outdated = allowed.iter().filter_map(|(&path, &recorded)| match lengths.get(path) {
        None => Some(format!(
            "{path} is an exception, but does not exist: remove it from EXCEPTIONS in tests/house/sizes.rs"
        )),
        Some(&lines) if lines <= MOST_LINES => Some(format!(
            "{path} is an exception, but has only {lines} lines: remove it from EXCEPTIONS in tests/house/sizes.rs"
        )),
        Some(&lines) if lines < recorded => Some(format!(
            "{path} is down from {recorded} to {lines} lines: record that in EXCEPTIONS in tests/house/sizes.rs"
        )),
        Some(_) => None,
    });
    too_long.chain(outdated).collect()
}

fn is_test(path: &str) -> bool {
    let mut folders: Vec<&str> = path.split('/').collect();
    let file = folders.pop().unwrap_or_default();
    folders.contains(&"tests") || file == "tests.rs" || file.ends_with("_tests.rs")
}

#[test]
fn files_are_short() {
    let sources = repository::files("", ".rs");
    let scripts: Vec<String> = SCRIPTS.iter().flat_map(|folder| repository::files(folder, "")).collect();
    for (found, known) in [(&sources, "src/main.rs"), (&scripts, "scripts/test"), (&scripts, ".ci/run")] {
        assert!(found.iter().any(|path| path == known), "the search for {known} does not find it: {found:?}");
    }
    let lengths = sources
        .into_iter()
        .filter(|path| !is_test(path))
        .chain(scripts)
        .map(|path| (path.clone(), repository::read(&path).lines().count()))
        .collect();
    assert_none(&faults(&lengths, EXCEPTIONS));
}

fn lengths(lines: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([("domain/src/lib.rs".to_owned(), lines)])
}

#[test]
fn a_long_file_is_found() {
    assert_one(&faults(&lengths(401), &[]), &["domain/src/lib.rs", "401", "400"]);
    assert_none(&faults(&lengths(400), &[]));
}

#[test]
fn an_exception_may_not_grow() {
    assert_none(&faults(&lengths(450), &[("domain/src/lib.rs", 450)]));
    assert_one(&faults(&lengths(451), &[("domain/src/lib.rs", 450)]), &["451", "450"]);
}

#[test]
fn an_exception_that_is_no_longer_needed_is_found() {
    assert_one(&faults(&lengths(449), &[("domain/src/lib.rs", 450)]), &["down from 450 to 449"]);
    assert_one(&faults(&lengths(400), &[("domain/src/lib.rs", 450)]), &["remove it"]);
    assert_one(&faults(&lengths(1), &[("domain/src/gone.rs", 450)]), &["domain/src/gone.rs", "does not exist"]);
}

#[test]
fn tests_are_told_from_program_code() {
    for path in
        ["tests/house/main.rs", "domain/src/tenant/tests.rs", "api/src/page_tests.rs", "api/tests/routes/users.rs"]
    {
        assert!(is_test(path), "{path}");
    }
    for path in ["src/main.rs", "testkit/src/lib.rs", "domain/src/contests.rs", "domain/src/tests_of_time.rs"] {
        assert!(!is_test(path), "{path}");
    }
}
