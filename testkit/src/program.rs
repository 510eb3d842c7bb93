//! The program as a process: starting it, watching it, killing it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything that the program does may take.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What would change how the program behaves, were it inherited from the one who runs the tests.
const SETTINGS: [&str; 10] = [
    "DATABASE_URL",
    "SYNKRO_DATABASE_CONNECTIONS",
    "SYNKRO_DATA_DIR",
    "SYNKRO_KEK",
    "SYNKRO_KEK_FILE",
    "SYNKRO_JWT_KEY_FILE",
    "SYNKRO_BIND",
    "SYNKRO_ALLOW_HOSTS",
    "SYNKRO_LOG",
    "SYNKRO_LOG_FORMAT",
];

/// The program at this path, with no settings but those of the test.
pub fn program(path: &str) -> Command {
    let mut command = Command::new(path);
    for name in SETTINGS {
        command.env_remove(name);
    }
    command
}

/// How the program ended by itself.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it printed, as far as nobody else has read it.
    pub output: String,
    /// What it said beside that.
    pub errors: String,
}

impl Ended {
    /// The last line of a successful run.
    ///
    /// # Panics
    /// Where it failed, or its last line is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let last = self.lines().last().expect("a successful run prints something").to_owned();
        serde_json::from_str(&last).expect("its last line is JSON")
    }

    /// The lines of a successful run.
    ///
    /// # Panics
    /// Where it failed.
    #[track_caller]
    pub fn lines(&self) -> std::str::Lines<'_> {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.output.lines()
    }
}

/// The program at work.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program must start");
        let errors = BufReader::new(child.stderr.take().expect("it was piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it prints, for one who reads it while it works; none where that was taken before.
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// SIGKILL, and nothing of it left afterwards.
    ///
    /// # Panics
    /// Where the system refuses.
    pub fn kill(mut self) {
        self.child.kill().expect("a process of one's own can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// True where it has ended.
    ///
    /// # Panics
    /// Where the system refuses to tell.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_some()
    }

    /// Waits until it says a line with these words; false where it ends without.
    ///
    /// # Panics
    /// Where it takes longer than [`PATIENCE`].
    pub fn says(&mut self, words: &str) -> bool {
        self.line_with(words).is_some()
    }

    /// Waits for the line that it says with these words; none where it ends without.
    ///
    /// # Panics
    /// Where it takes longer than [`PATIENCE`].
    pub fn line_with(&mut self, words: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(words) {
                        return Some(line);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("it never said {words:?}: {:#?}", self.seen),
            }
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where what it printed is no text.
    pub fn end(mut self) -> Ended {
        let mut output = String::new();
        if let Some(mut printed) = self.child.stdout.take() {
            printed.read_to_string(&mut output).expect("it prints text");
        }
        let code = self.child.wait().expect("it can be waited for").code();
        self.seen.extend(self.lines.iter());
        Ended { code, output, errors: self.seen.join("\n") }
    }
}
