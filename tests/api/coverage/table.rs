//! A table of statuses, and the reviewed one that it must be.

use std::fmt::Write as _;

/// The statuses that operations answer callers with.
pub(super) struct Table {
    callers: Vec<String>,
    rows: Vec<(String, Vec<u16>)>,
}

impl Table {
    pub(super) fn new(callers: Vec<String>) -> Self {
        Self { callers, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, operation: &str, statuses: Vec<u16>) {
        assert_eq!(statuses.len(), self.callers.len());
        self.rows.push((operation.to_owned(), statuses));
    }

    /// Fails unless the reviewed table is the same.
    pub(super) fn assert_reviewed(mut self, name: &str) {
        self.rows.sort();
        let (path, text) = (format!("{}/tests/api/coverage/{name}.txt", env!("CARGO_MANIFEST_DIR")), self.text());
        if asked_to_write() {
            std::fs::write(&path, &text).expect("a table can be written");
        }
        let reviewed = std::fs::read_to_string(&path).expect("run with UPDATE_COVERAGE=1 and read what was written");
        let differs = |(ours, theirs): (&str, &str)| (ours != theirs).then(|| format!("- {theirs}\n+ {ours}\n"));
        let changes: String = text.lines().zip(reviewed.lines()).filter_map(differs).take(10).collect();
        assert!(text == reviewed, "{name}.txt differs; read the change, then UPDATE_COVERAGE=1\n{changes}");
    }

    fn text(&self) -> String {
        let mut text = format!("{:28}", "");
        for caller in &self.callers {
            write!(text, "{caller:15}").expect("a text takes every line");
        }
        for (operation, statuses) in &self.rows {
            write!(text, "\n{operation:28}").expect("a text takes every line");
            for status in statuses {
                write!(text, "{status:<15}").expect("a text takes every line");
            }
        }
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no configuration; the wish to write files comes by variable")]
fn asked_to_write() -> bool {
    std::env::var_os("UPDATE_COVERAGE").is_some_and(|value| value == "1")
}
