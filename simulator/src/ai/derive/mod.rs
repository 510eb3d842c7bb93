//! Text analysis that stands for the model: everything it says is counted in, or quoted from, the prompt.

mod answer;
mod findings;
mod language;
mod merge;
mod package;
mod plain;
mod stopwords;
mod summary;
mod topics;
mod words;

pub(super) use answer::Answer;
use package::Package;

/// The line after which a prompt holds its package, to the end of the text.
const MARK: &str = "PACKAGE:";

/// Answers the last message of the user.
pub(super) fn answer(prompt: &str) -> Answer {
    let Some(text) = package_text(prompt) else { return Answer::Plain(plain::answer(prompt)) };
    match serde_json::from_str(text) {
        Ok(Package::Analyse(package)) => Answer::Report(summary::analyse(&package)),
        Ok(Package::Merge(package)) => Answer::Report(merge::merge(&package)),
        Err(error) => Answer::Plain(format!("The package after {MARK} cannot be read: {error}.")),
    }
}

fn package_text(prompt: &str) -> Option<&str> {
    let mut end = prompt.len();
    for line in prompt.split_inclusive('\n').rev() {
        if line.trim() == MARK {
            return Some(&prompt[end..]);
        }
        end -= line.len();
    }
    None
}

#[cfg(test)]
mod tests;
