//! Group commit: all commits of a process go through one appender, which writes those that wait together.
//!
//! A commit that comes alone is written at once. While statements are in flight, commits gather, and the next
//! statement takes them all; so the load itself makes the batches and nobody waits for a timer. At most two statements
//! are in flight: while one is being made durable, the next is being sent.
//!
//! When one has ended, those whose commits were in it are about to send their next ones. While the other is in flight they
//! are let come first; otherwise the next statement would hold the few who were quickest, and cost as much.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::commit::{AppendError, Appended, Commit};
use super::queue::{Ended, Lane, Queue, Recorded, Waiting};
use super::writer::Writer;
use crate::database::{Database, Mode};
use crate::signals::{self, Signal};

/// Commits that may wait in the channel, and as many again in the queue. More are refused at once, so that an outage costs no
/// memory.
const MOST_WAITING: usize = 4_096;

/// Commits of one statement.
const MOST_TOGETHER: usize = 256;

/// Statements in flight on a server; the embedded database has one connection.
const MOST_IN_FLIGHT: usize = 2;

/// How often others have their turn before a statement is made while another is in flight.
const TURNS: u32 = 3;

/// Appends commits and hints that the log has grown.
#[derive(Clone)]
pub struct Appender {
    commits: mpsc::Sender<Waiting>,
}

impl Appender {
    /// An appender that hints through `log`. It works for as long as one of its clones lives.
    pub fn new(database: Database, log: Signal) -> Self {
        let (commits, incoming) = mpsc::channel(MOST_WAITING);
        tokio::spawn(Dispatcher::new(database, log).run(incoming));
        Self { commits }
    }

    /// Records all of the commit or nothing.
    ///
    /// # Errors
    /// [`AppendError::Busy`] at once where too many commits wait already.
    pub async fn append(&self, commit: Commit) -> Result<Appended, AppendError> {
        let ended = || Arc::new(sqlx::Error::WorkerCrashed);
        let (answer, recorded) = oneshot::channel();
        self.commits.try_send(Waiting { commit, answer }).map_err(|refused| match refused {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Closed(_) => AppendError::Unavailable(ended()),
        })?;
        recorded.await.unwrap_or_else(|_| Err(AppendError::Unanswered(ended())))
    }
}

/// Makes statements of the commits that wait.
struct Dispatcher {
    statements: Arc<Statements>,
    most_in_flight: usize,
    in_flight: usize,
    queue: Queue,
}

impl Dispatcher {
    fn new(database: Database, log: Signal) -> Self {
        let most_in_flight = match database.mode() {
            Mode::Server => MOST_IN_FLIGHT,
            Mode::Embedded => 1,
        };
        let recorded = Signal::default();
        if database.mode() == Mode::Server {
            tokio::spawn(signals::tell_others(database.clone(), recorded.subscribe()));
        }
        let statements = Arc::new(Statements { writer: Writer::new(database), log, recorded });
        Self { statements, most_in_flight, in_flight: 0, queue: Queue::default() }
    }

    /// Works until nobody can send commits any more and all are answered.
    async fn run(mut self, mut incoming: mpsc::Receiver<Waiting>) {
        let (ended, mut outcomes) = mpsc::unbounded_channel();
        let mut open = true;
        while open || self.in_flight > 0 {
            tokio::select! {
                // While nothing can be sent, commits gather in the channel without waking anybody.
                next = incoming.recv(), if open && self.can_send() => match next {
                    Some(next) => self.queue.push(next),
                    None => open = false,
                },
                Some(outcome) = outcomes.recv() => {
                    self.take(&mut incoming);
                    self.end(outcome);
                }
            }
            self.take(&mut incoming);
            if 0 < self.in_flight && self.in_flight < self.most_in_flight {
                self.gather(&mut incoming).await;
            }
            self.dispatch(&ended);
        }
    }

    /// Takes what others send who only waited for their turn.
    async fn gather(&mut self, incoming: &mut mpsc::Receiver<Waiting>) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
            self.take(incoming);
        }
    }

    fn can_send(&self) -> bool {
        self.in_flight < self.most_in_flight && self.queue.len() < MOST_WAITING
    }

    /// Takes what waits in the channel.
    fn take(&mut self, incoming: &mut mpsc::Receiver<Waiting>) {
        while self.queue.len() < MOST_WAITING
            && let Ok(next) = incoming.try_recv()
        {
            self.queue.push(next);
        }
    }

    fn dispatch(&mut self, ended: &mpsc::UnboundedSender<Vec<Ended>>) {
        while self.in_flight < self.most_in_flight {
            let batch = self.queue.next_batch(MOST_TOGETHER);
            if batch.is_empty() {
                return;
            }
            self.in_flight += 1;
            let (statements, ended) = (Arc::clone(&self.statements), ended.clone());
            let lanes: Vec<Lane> = batch.iter().map(|(lane, _)| *lane).collect();
            tokio::spawn(async move {
                let written = AssertUnwindSafe(statements.write(batch)).catch_unwind().await;
                // A panic must not close the lanes for ever.
                let unknown = |_| lanes.into_iter().map(|lane| Ended { lane, recorded: None }).collect();
                // The dispatcher outlives every statement, so it is there to receive.
                let _ = ended.send(written.unwrap_or_else(unknown));
            });
        }
    }

    fn end(&mut self, outcome: Vec<Ended>) {
        self.in_flight -= 1;
        for ended in outcome {
            self.queue.end(ended);
        }
    }
}

/// Writes statements and answers those who wait.
struct Statements {
    writer: Writer,
    /// The log has grown, whoever recorded it.
    log: Signal,
    /// This process has recorded something, which others do not know yet.
    recorded: Signal,
}

impl Statements {
    async fn write(&self, mut batch: Vec<(Lane, Waiting)>) -> Vec<Ended> {
        // Processes that write the same aggregates at once wait for each other; in one order they cannot wait in a circle.
        batch.sort_unstable_by(|(_, one), (_, other)| one.commit.key().cmp(&other.commit.key()));
        let (lanes, batch): (Vec<Lane>, Vec<Waiting>) = batch.into_iter().unzip();
        let (commits, waiting): (Vec<Commit>, Vec<_>) =
            batch.into_iter().map(|Waiting { commit, answer }| (commit, answer)).unzip();
        let answers = self.writer.append(&commits).await;
        if answers.iter().any(Result::is_ok) {
            self.log.notify();
            self.recorded.notify();
        }
        let ended = lanes.into_iter().zip(commits).zip(&answers).map(|((lane, commit), answer)| {
            let sequence = commit.recorded();
            let Commit { aggregate_type, aggregate_id, .. } = commit;
            Ended { lane, recorded: answer.is_ok().then_some(Recorded { aggregate_type, aggregate_id, sequence }) }
        });
        let ended = ended.collect();
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            // One who no longer waits has been cut off; the commit stands all the same.
            let _ = waiting.send(answer);
        }
        ended
    }
}
