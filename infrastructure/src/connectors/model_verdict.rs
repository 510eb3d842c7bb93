//! What can be wrong with a model, or with an answer that it gave with a status of success. The same question fails the
//! same way, so all of it is permanent.

use application::ports::providers::ModelInfo;

use super::http::{Dialect, Verdict};

/// Longest reason of a provider that is quoted, in characters.
const LONGEST_REASON: usize = 100;

/// Models named when the chosen one is missing.
const NAMED_MODELS: usize = 5;

/// The account does not have the model, but these.
pub(super) fn missing(dialect: &Dialect, model: &str, offered: &[ModelInfo]) -> Verdict {
    let names: Vec<&str> = offered.iter().take(NAMED_MODELS).map(|model| model.name.as_str()).collect();
    let advice = if names.is_empty() {
        "Choose another model in Settings → AI".to_owned()
    } else {
        format!("Choose another model in Settings → AI, for example {}", names.join(", "))
    };
    Verdict::permanent(format!("{} does not offer the model {model} to this account", dialect.title), advice)
}

/// The model would not answer.
pub(super) fn declined(dialect: &Dialect, reason: &str) -> Verdict {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    Verdict::permanent(
        format!("{} declined to answer ({reason})", dialect.title),
        "Change the wording of the prompt in Settings → AI, or choose another model",
    )
}

/// The answer hit the model's output limit.
pub(super) fn cut_short(dialect: &Dialect) -> Verdict {
    Verdict::permanent(
        format!("The answer of {} reached the model's output limit and is not complete", dialect.name),
        "Choose a model with a larger output limit in Settings → AI, or a shorter period",
    )
}

/// The model finished without a word.
pub(super) fn empty(dialect: &Dialect) -> Verdict {
    Verdict::permanent(
        format!("{} gave an empty answer", dialect.title),
        "Start the run again, or choose another model in Settings → AI",
    )
}
