//! Rules about the repository itself that no compiler checks: which crate may use which, how long a file may be, that
//! documents point at things that exist, that dependencies say why they are there.
//!
//! Each rule is a function from files to a list of faults, tried on a bad example beside it, so that it can fail.
//! A fault names the place, the rule and what to do.

mod contexts;
mod decisions;
mod dependencies;
mod documents;
mod image;
mod layers;
mod repository;
mod settings;
mod sizes;

/// Fails with every fault on a line of its own.
#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} fault(s):\n- {}", faults.len(), faults.join("\n- "));
}

/// Fails unless there is exactly one fault and it names every one of `words`.
#[track_caller]
fn assert_one(faults: &[String], words: &[&str]) {
    assert_eq!(faults.len(), 1, "expected one fault, got: {faults:#?}");
    for word in words {
        assert!(faults[0].contains(word), "`{word}` is missing in: {}", faults[0]);
    }
}
