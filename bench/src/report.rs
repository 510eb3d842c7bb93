//! Printing figures.

use serde_json::json;

use crate::figures::Figure;

/// The conditions and, for people, the head of the table.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the program's result")]
pub(crate) fn head(as_json: bool, conditions: &str) {
    eprintln!("{conditions}");
    if !as_json {
        println!("{:<26} {:>14} {:>14} {:>8}  unit", "figure", "ours", "limit", "ratio");
    }
}

#[expect(clippy::print_stdout, reason = "the program's result")]
pub(crate) fn figure(as_json: bool, figure: &Figure) {
    let Figure { name, ours, limit, unit } = figure;
    let ratio = ours / limit;
    if as_json {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let line = json!({
            "figure": name, "ours": rounded(*ours), "limit": rounded(*limit), "ratio": rounded(ratio), "unit": unit,
        });
        println!("{line}");
    } else {
        println!("{name:<26} {ours:>14.2} {limit:>14.2} {ratio:>8.2}  {unit}");
    }
}

/// What else is worth knowing of a figure, for people.
#[expect(clippy::print_stderr, reason = "a part of the program's result")]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stderr, reason = "the program's complaint")]
pub(crate) fn complain(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
}
