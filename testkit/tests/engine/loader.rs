//! Starting the loader, following what it acknowledges, killing and pausing it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use testkit::engine::{Acknowledgement, Counts};
use tokio::time::Instant;

/// How long anything that a loader does may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A loader at work. It is killed with this value.
pub(crate) struct Loader {
    child: Child,
    acknowledged: Arc<Mutex<Vec<Acknowledgement>>>,
    lines: Option<JoinHandle<Option<Counts>>>,
}

impl Loader {
    /// Starts one on the schema at the address.
    pub(crate) fn start(url: &str, seed: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_loader"))
            .args(["--database-url", url, "--seed", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&acknowledged);
        let lines = thread::spawn(move || {
            let mut line = String::new();
            // What a killed loader leaves without an end of line was not said.
            while output.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
                if let Ok(counts) = line.trim_end().parse() {
                    return Some(counts);
                }
                said.lock().unwrap().push(line.trim_end().parse().unwrap());
                line.clear();
            }
            None
        });
        Self { child, acknowledged, lines: Some(lines) }
    }

    /// How many commits were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until it has acknowledged more than so many.
    pub(crate) async fn goes_beyond(&mut self, commits: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.acknowledged() <= commits {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the loader ended at {} acknowledged commits: {ended:?}", self.acknowledged());
            assert!(Instant::now() < deadline, "no more than {commits} commits were acknowledged");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of that name is not installed everywhere.
        let sent =
            Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "{name} was not sent");
    }

    /// SIGKILL; returns everything that was acknowledged before.
    pub(crate) fn kill(mut self) -> Vec<Acknowledgement> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert_eq!(self.lines.take().unwrap().join().unwrap(), None, "it had ended before it was killed");
        std::mem::take(&mut self.acknowledged.lock().unwrap())
    }

    /// Tells it to stop, and waits for its end; returns everything that was acknowledged, and its own counts.
    pub(crate) async fn end(mut self) -> (Vec<Acknowledgement>, Counts) {
        drop(self.child.stdin.take());
        let lines = self.lines.take().unwrap();
        let counts = tokio::task::spawn_blocking(|| lines.join().unwrap()).await.unwrap();
        assert!(self.child.wait().unwrap().success(), "the loader failed");
        let acknowledged = std::mem::take(&mut *self.acknowledged.lock().unwrap());
        let counts = counts.expect("a loader that ends says what became of its commands");
        assert_eq!(u64::try_from(acknowledged.len()), Ok(counts.acknowledged), "lines and count differ");
        (acknowledged, counts)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // It is also gone when a test fails; a stopped process can be killed too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
