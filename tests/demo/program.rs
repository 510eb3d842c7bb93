//! Starting the program, watching it, killing it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::DEMO_DIALOGUES;
use tempfile::TempDir;

/// How long anything that the program does may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a file or a table is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What would change how the program behaves, were it inherited from the one who runs the tests.
const SETTINGS: [&str; 9] = [
    "DATABASE_URL",
    "SYNKRO_DATABASE_CONNECTIONS",
    "SYNKRO_DATA_DIR",
    "SYNKRO_KEK_FILE",
    "SYNKRO_JWT_KEY_FILE",
    "SYNKRO_BIND",
    "SYNKRO_ALLOW_HOSTS",
    "SYNKRO_LOG",
    "SYNKRO_LOG_FORMAT",
];

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

/// How the program ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// The program at work.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_synkro"));
        for name in SETTINGS {
            command.env_remove(name);
        }
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

impl Ended {
    /// The last line of a successful run.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(self.output.lines().last().unwrap()).unwrap()
    }
}

impl Running {
    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    /// SIGKILL, and nothing of it left afterwards.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Watches how much memory it holds, from now to its end; the thread returns the most, in bytes. Nothing where the
    /// system has no `/proc`.
    pub(crate) fn watch_memory(&self) -> JoinHandle<Option<u64>> {
        let status = format!("/proc/{}/status", self.child.id());
        thread::spawn(move || {
            let mut most = None;
            while let Some(peak) = peak_memory(&fs::read_to_string(&status).unwrap_or_default()) {
                most = Some(peak);
                thread::sleep(Duration::from_millis(10));
            }
            most
        })
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it says a line with these words; false where it ends without.
    pub(crate) fn says(&mut self, words: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = line.contains(words);
                    self.seen.push(line);
                    if found {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("it never said {words:?}: {:#?}", self.seen),
            }
        }
    }

    /// Waits until the file has grown by a line with all these words; false where the program ends without.
    pub(crate) fn writes(&mut self, file: &Path, from: u64, words: &[&str]) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.has_ended();
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

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let mut output = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        let code = self.child.wait().unwrap().code();
        self.seen.extend(self.lines.iter());
        Ended { code, output, errors: self.seen.join("\n") }
    }
}

/// The most memory that a process has held so far, in bytes. A process that has ended says none (proc(5)).
fn peak_memory(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
