//! `synkro serve` as a process, and what it says of its health.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use tokio::sync::oneshot;

/// A program that serves. It is killed with this value.
pub(crate) struct Serving {
    child: Child,
    address: String,
    client: Client,
}

impl Serving {
    /// Starts it on a migrated database, and waits until it listens.
    pub(crate) async fn start(database_url: &str, folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_synkro"))
            .args(["serve", "--role", "api", "--bind", "127.0.0.1:0", "--log", "info", "--database-url", database_url])
            .arg("--data-dir")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (listens, address) = oneshot::channel();
        thread::spawn(move || {
            let mut listens = Some(listens);
            // Read to the end, so that the program can go on to log; shown when the test fails.
            for line in errors.lines().map_while(Result::ok) {
                if let (Some((_, address)), Some(_)) = (line.split_once("listening on http://"), &listens) {
                    let _ = listens.take().map(|listens| listens.send(address.split(' ').next().unwrap().to_owned()));
                }
                eprintln!("{line}");
            }
        });
        let address = tokio::time::timeout(Duration::from_secs(30), address).await;
        let address = address.expect("it listens in time").expect("it says where it listens before it ends");
        Self { child, address, client: Client::new() }
    }

    /// What `/ready` answers.
    pub(crate) async fn readiness(&self) -> StatusCode {
        let url = format!("http://{}/ready", self.address);
        self.client.get(url).timeout(Duration::from_secs(5)).send().await.unwrap().status()
    }

    /// The process is the one that was started.
    pub(crate) fn assert_alive(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the program ended");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
