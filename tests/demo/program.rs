//! The demo as a process, and what it leaves behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::DEMO_DIALOGUES;
use tempfile::TempDir;
use testkit::program::{Ended, PATIENCE, Running, program};

/// How often a file or a table is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A demo that can be started again and again on the same folder.
pub(crate) struct Demo {
    folder: TempDir,
    database_url: Option<String>,
    data: Data,
}

/// Which dialogues a demo works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    /// Those that the program brings along.
    Committed,
    /// Those of its data file.
    OfFile,
}

impl Demo {
    /// A demo of the first twelve of the demo's dialogues, on the embedded database or on a server.
    pub(crate) fn new(database_url: Option<String>) -> Self {
        let demo = Self { folder: tempfile::tempdir().unwrap(), database_url, data: Data::OfFile };
        let lines: Vec<&str> = DEMO_DIALOGUES.lines().take(12).collect();
        demo.write_data(&lines.join("\n"));
        demo
    }

    /// The demo as everybody starts it, on all the dialogues that the program brings along.
    pub(crate) fn of_committed_data() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database_url: None, data: Data::Committed }
    }

    pub(crate) fn write_data(&self, text: &str) {
        fs::write(self.data_file(), text).unwrap();
    }

    pub(crate) fn data_file(&self) -> PathBuf {
        self.folder.path().join("dialogues.jsonl")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the simulators were called for, one line for each call.
    pub(crate) fn journal(&self) -> PathBuf {
        self.data_dir().join("services/calls.ndjson")
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.program();
        command.args(["demo", "--once", "--json", "--data-dir"]).arg(self.data_dir()).args(arguments);
        if self.data == Data::OfFile {
            command.arg("--data").arg(self.data_file());
        }
        Running::spawn(command)
    }

    /// Runs a command of support staff on the demo's database to its end.
    pub(crate) fn projections(&self, arguments: &[&str]) -> Ended {
        let mut command = self.program();
        command.args(["projections", "--json", "--data-dir"]).arg(self.data_dir()).args(arguments);
        Running::spawn(command).end()
    }

    /// The program, with no settings but those of this demo.
    fn program(&self) -> Command {
        let mut command = program(env!("CARGO_BIN_EXE_synkro"));
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) fn finish(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// Runs it to its end and returns what it printed last.
    pub(crate) fn result(&self) -> Value {
        self.finish(&[]).json()
    }
}

/// Watches how much memory the program holds, from now to its end; the thread returns the most, in bytes. Nothing where the
/// system has no `/proc`.
pub(crate) fn watch_memory(program: &Running) -> JoinHandle<Option<u64>> {
    let status = format!("/proc/{}/status", program.id());
    thread::spawn(move || {
        let mut most = None;
        while let Some(peak) = peak_memory(&fs::read_to_string(&status).unwrap_or_default()) {
            most = Some(peak);
            thread::sleep(Duration::from_millis(10));
        }
        most
    })
}

/// Waits until the file has grown by a line with all these words; false where the program ends without.
pub(crate) fn writes(program: &mut Running, file: &Path, from: u64, words: &[&str]) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = program.has_ended();
        let text = fs::read(file).unwrap_or_default();
        let new = String::from_utf8_lossy(text.get(usize::try_from(from).unwrap()..).unwrap_or_default());
        if new.lines().any(|line| words.iter().all(|word| line.contains(word))) {
            return true;
        }
        if ended {
            return false;
        }
        assert!(Instant::now() < deadline, "{words:?} never came");
        thread::sleep(LOOK_EVERY);
    }
}

/// The most memory that a process has held so far, in bytes. A process that has ended says none (proc(5)).
fn peak_memory(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
