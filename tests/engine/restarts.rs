//! The database server goes away and comes back, under load.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::ports::read_models::Progress;
use infrastructure::database::Database;
use reqwest::StatusCode;
use testkit::TestDatabase;
use testkit::engine::{Acknowledgement, Dice, Load, PostgresServer, Shutdown, assert_whole};
use testkit::settings::{LONG, setting};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::program::Serving;

/// How long recovery may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The load beside the program, which leaves the read models to it.
struct Writers {
    acknowledged: Arc<Mutex<Vec<Acknowledgement>>>,
    stop: CancellationToken,
    done: JoinHandle<u64>,
}

impl Writers {
    async fn start(url: &str, seed: u64) -> Self {
        // Acknowledged is what is durable: the connections are those of the program, not the tests' own.
        let database = Database::connect(url, 8).await.unwrap();
        let acknowledged: Arc<Mutex<Vec<Acknowledgement>>> = Arc::default();
        let (said, stop) = (Arc::clone(&acknowledged), CancellationToken::new());
        let tell = Arc::new(move |new: &Acknowledgement| said.lock().unwrap().push(new.clone()));
        let (load, told_to_stop) = (Load { seed, writers: 8, projects: false }, stop.clone());
        let done = tokio::spawn(async move { load.put_on(&database, tell, told_to_stop).await.unanswered });
        Self { acknowledged, stop, done }
    }

    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    async fn go_on(&self) {
        let before = self.acknowledged();
        until("commits are acknowledged again", async || self.acknowledged() > before).await;
    }

    /// What was acknowledged, and how many commands had no answer.
    async fn end(self) -> (Vec<Acknowledgement>, u64) {
        self.stop.cancel();
        let unanswered = self.done.await.unwrap();
        (std::mem::take(&mut self.acknowledged.lock().unwrap()), unanswered)
    }
}

/// Seen to fail: with `synchronous_commit` off, acknowledged commits were lost; with a projection that ends with its first
/// failure, the read models stood still.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_loses_nothing_acknowledged_and_the_program_recovers_by_itself() {
    let restarts = if setting(LONG).is_some() { 40 } else { 3 };
    let server = PostgresServer::start();
    let test = TestDatabase::on(server.url()).await;
    let url = test.url().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut program = Serving::start(&url, folder.path()).await;
    let mut dice = Dice::of_test();
    let writers = Writers::start(&url, dice.roll()).await;
    writers.go_on().await;
    until("the program is ready", async || program.readiness().await == StatusCode::OK).await;

    for restart in 0..restarts {
        tokio::time::sleep(dice.between(Duration::from_millis(100), Duration::from_millis(400))).await;
        let how = if restart % 3 == 2 { Shutdown::Fast } else { Shutdown::Immediate };
        if restart % 3 == 0 {
            tokio::task::block_in_place(|| server.stop(how));
            let not_ready = async || program.readiness().await == StatusCode::SERVICE_UNAVAILABLE;
            until("the program says that it is not ready", not_ready).await;
            tokio::task::block_in_place(|| server.start_again());
        } else {
            tokio::task::block_in_place(|| server.restart(how));
        }
        until("the program is ready again", async || program.readiness().await == StatusCode::OK).await;
        writers.go_on().await;
    }

    let (acknowledged, unanswered) = writers.end().await;
    assert!(unanswered > 0, "no command met a server that was away");
    program.assert_alive();
    // Nobody else feeds the read models here.
    let last = test.last_position().await.unwrap();
    assert!(test.checkpoints().passed(last, PATIENCE).await.unwrap(), "the program's projections did not go on");
    assert_whole(&test, &acknowledged).await;
}

async fn until(what: &str, mut met: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !met().await {
        assert!(Instant::now() < deadline, "{what}: not in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
