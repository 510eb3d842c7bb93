//! Group commit: all commits of a process go through one appender, which writes those that wait together.
//!
//! A commit that comes alone is written at once. While statements are in flight, commits gather, and the next
//! statement takes them all; so the load itself makes the batches and nobody waits for a timer. At most two statements
//! are in flight: while one is being made durable, the next is being sent.
//!
//! A statement is all or nothing. If the database refuses it, its commits are repeated one by one, so that only the
//! guilty one fails, with its own error. If it ends without an answer, whether it was recorded is not known: nothing
//! is repeated, and everyone in it is told that the log did not answer.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::database::{Database, Mode, TRUSTED};
use crate::event_store::append::{AppendError, Appended, Commit, append, explain};
use crate::signals::{self, Signal};

/// Commits that may wait in the queue, and as many again that are sorted out. More are refused at once, so that an outage costs no memory.
const MOST_WAITING: usize = 4_096;

/// Longest wait for one statement; after it, whether it was recorded is not known.
const PATIENCE: Duration = Duration::from_secs(30);

/// Commits of one statement.
const MOST_TOGETHER: usize = 256;

/// Statements in flight on a server; the embedded database has one connection.
const MOST_IN_FLIGHT: usize = 2;

type Answer = Result<Appended, AppendError>;
type AggregateKey = (&'static str, String);

/// A commit and the one who waits for it.
struct Waiting {
    commit: Commit,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    fn key(&self) -> AggregateKey {
        (self.commit.aggregate_type, self.commit.aggregate_id.clone())
    }
}

/// Appends commits and hints that the log has grown.
#[derive(Clone)]
pub struct Appender {
    queue: mpsc::Sender<Waiting>,
}

impl Appender {
    /// An appender that hints through `log`. It works for as long as one of its clones lives.
    pub fn new(database: Database, log: Signal) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        tokio::spawn(Dispatcher::new(database, log).run(waiting));
        Self { queue }
    }

    /// Records all of the commit or nothing.
    ///
    /// # Errors
    /// [`AppendError::Busy`] at once where too many commits wait already.
    pub async fn append(&self, commit: Commit) -> Answer {
        let (answer, recorded) = oneshot::channel();
        self.queue.try_send(Waiting { commit, answer }).map_err(|refused| match refused {
            TrySendError::Full(_) => AppendError::Busy,
            TrySendError::Closed(_) => AppendError::Unanswered,
        })?;
        recorded.await.unwrap_or(Err(AppendError::Unanswered))
    }
}

/// What became of a commit in flight: the aggregate, and its newest sequence if it was recorded.
struct Ended {
    key: AggregateKey,
    sequence: Option<usize>,
}

/// Makes statements of the commits that wait.
struct Dispatcher {
    writer: Arc<Writer>,
    most_in_flight: usize,
    in_flight: usize,
    /// Aggregates with a commit in flight. Another commit of one of them waits for the outcome: in the same statement
    /// it would make the whole of it fail.
    busy: HashSet<AggregateKey>,
    held: VecDeque<Waiting>,
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
        let writer = Arc::new(Writer { database, connections: Mutex::default(), log, recorded });
        Self { writer, most_in_flight, in_flight: 0, busy: HashSet::new(), held: VecDeque::new() }
    }

    /// Works until nobody can send commits any more and all are answered.
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let (ended, mut outcomes) = mpsc::unbounded_channel();
        let mut open = true;
        while open || self.in_flight > 0 {
            tokio::select! {
                // While nothing can be sent, commits gather in the queue without waking anybody.
                next = waiting.recv(), if open && self.can_send() => match next {
                    Some(next) => self.held.push_back(next),
                    None => open = false,
                },
                Some(outcome) = outcomes.recv() => {
                    self.take(&mut waiting);
                    self.end(outcome);
                }
            }
            self.take(&mut waiting);
            self.dispatch(&ended);
        }
    }

    fn can_send(&self) -> bool {
        self.in_flight < self.most_in_flight && self.held.len() < MOST_WAITING
    }

    /// Takes what waits in the queue.
    fn take(&mut self, waiting: &mut mpsc::Receiver<Waiting>) {
        while self.held.len() < MOST_WAITING
            && let Ok(next) = waiting.try_recv()
        {
            self.held.push_back(next);
        }
    }

    fn dispatch(&mut self, ended: &mpsc::UnboundedSender<Vec<Ended>>) {
        while self.in_flight < self.most_in_flight {
            let batch = self.next_batch();
            if batch.is_empty() {
                return;
            }
            self.in_flight += 1;
            let (writer, ended) = (Arc::clone(&self.writer), ended.clone());
            let keys: Vec<AggregateKey> = batch.iter().map(Waiting::key).collect();
            let written = tokio::spawn(async move { writer.write(batch).await });
            tokio::spawn(async move {
                // A panic must not leave the aggregates busy for ever.
                let unknown = |_| keys.into_iter().map(|key| Ended { key, sequence: None }).collect();
                // The dispatcher outlives every statement, so it is there to receive.
                let _ = ended.send(written.await.unwrap_or_else(unknown));
            });
        }
    }

    /// The commits of the next statement, in their order; at most one of each aggregate.
    fn next_batch(&mut self) -> Vec<Waiting> {
        let mut batch = Vec::new();
        for _ in 0..self.held.len() {
            let Some(waiting) = self.held.pop_front() else { break };
            let key = waiting.key();
            if batch.len() == MOST_TOGETHER || self.busy.contains(&key) {
                self.held.push_back(waiting);
            } else {
                self.busy.insert(key);
                batch.push(waiting);
            }
        }
        batch
    }

    fn end(&mut self, outcome: Vec<Ended>) {
        self.in_flight -= 1;
        for Ended { key, sequence } in outcome {
            self.busy.remove(&key);
            if let Some(sequence) = sequence {
                self.refuse_overtaken(&key, sequence);
            }
        }
    }

    /// Commits of the aggregate that were decided before the recorded one have lost their race.
    fn refuse_overtaken(&mut self, key: &AggregateKey, sequence: usize) {
        if !self.held.iter().any(|waiting| waiting.key() == *key) {
            return;
        }
        let (overtaken, held): (VecDeque<_>, VecDeque<_>) =
            self.held.drain(..).partition(|waiting| waiting.commit.expected < sequence && waiting.key() == *key);
        self.held = held;
        for waiting in overtaken {
            let _ = waiting.answer.send(Err(AppendError::LostRace));
        }
    }
}

/// Writes statements and answers those who wait.
struct Writer {
    database: Database,
    /// The log has grown, whoever recorded it.
    log: Signal,
    /// Those that no statement uses now, and when one last did. They are not the pool's, which asks each connection that
    /// comes back whether it is alive: a second round trip for every statement.
    connections: Mutex<Vec<(PgConnection, Instant)>>,
    /// This process has recorded something, which others do not know yet.
    recorded: Signal,
}

impl Writer {
    async fn write(&self, mut batch: Vec<Waiting>) -> Vec<Ended> {
        // Processes that write the same aggregates at once wait for each other; in one order they cannot wait in a circle.
        batch.sort_unstable_by(|one, other| one.commit.key().cmp(&other.commit.key()));
        let (commits, answers): (Vec<Commit>, Vec<oneshot::Sender<Answer>>) =
            batch.into_iter().map(|waiting| (waiting.commit, waiting.answer)).unzip();
        let results = self.append(&commits).await;
        if results.iter().any(Result::is_ok) {
            self.log.notify();
            self.recorded.notify();
        }
        let ended = commits.into_iter().zip(&results).map(|(commit, result)| Ended {
            sequence: result.is_ok().then(|| commit.expected + commit.events.len()),
            key: (commit.aggregate_type, commit.aggregate_id),
        });
        let ended = ended.collect();
        for (answer, result) in answers.into_iter().zip(results) {
            // One who no longer waits has been cut off; the commit stands all the same.
            let _ = answer.send(result);
        }
        ended
    }

    /// The result of each commit.
    async fn append(&self, commits: &[Commit]) -> Vec<Answer> {
        match self.statement(commits).await {
            Ok(appended) => vec![Ok(appended); commits.len()],
            Err(error) => match commits {
                [single] => vec![Err(self.explain(single, error).await)],
                many if names_a_culprit(&error) => self.one_by_one(many).await,
                many => vec![Err(AppendError::Database(Arc::new(error))); many.len()],
            },
        }
    }

    async fn one_by_one(&self, commits: &[Commit]) -> Vec<Answer> {
        let mut results: Vec<Answer> = Vec::with_capacity(commits.len());
        for commit in commits {
            match self.statement(std::slice::from_ref(commit)).await {
                Ok(appended) => results.push(Ok(appended)),
                Err(error) if names_a_culprit(&error) => {
                    results.push(Err(self.explain(commit, error).await));
                }
                Err(error) => {
                    // The database is gone; each of the rest would only wait for it in turn.
                    results.resize(commits.len(), Err(AppendError::Database(Arc::new(error))));
                    break;
                }
            }
        }
        results
    }

    /// What the refusal means to the commit; without an answer to that, what the database said at first.
    async fn explain(&self, commit: &Commit, error: sqlx::Error) -> AppendError {
        let error = Arc::new(error);
        let explained = explain(self.database.pool(), commit, Arc::clone(&error));
        tokio::time::timeout(PATIENCE, explained).await.unwrap_or(AppendError::Database(error))
    }

    /// One statement, with an end to waiting for it.
    async fn statement(&self, commits: &[Commit]) -> Result<Appended, sqlx::Error> {
        let appended = async {
            match self.database.mode() {
                Mode::Server => self.on_own_connection(commits).await,
                Mode::Embedded => append(&mut *self.database.pool().acquire().await?, commits).await,
            }
        };
        tokio::time::timeout(PATIENCE, appended).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// On a connection that is kept afterwards, unless it broke or the statement was given up.
    async fn on_own_connection(&self, commits: &[Commit]) -> Result<Appended, sqlx::Error> {
        let mut connection = self.connection().await?;
        let appended = append(&mut connection, commits).await;
        if appended.as_ref().err().is_none_or(names_a_culprit) {
            lock(&self.connections).push((connection, Instant::now()));
        }
        appended
    }

    /// A kept connection; one that has been idle for a while only if it still answers.
    async fn connection(&self) -> Result<PgConnection, sqlx::Error> {
        loop {
            let kept = lock(&self.connections).pop();
            let Some((mut connection, used)) = kept else { return self.database.own_connection().await };
            if used.elapsed() < TRUSTED || connection.ping().await.is_ok() {
                return Ok(connection);
            }
        }
    }
}

/// Nobody panics while holding it.
fn lock(connections: &Mutex<Vec<(PgConnection, Instant)>>) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the database refused the statement for what one of its commits holds: a constraint, bad data, or a conflict
/// between transactions. Then nothing of it was recorded, and each commit can be tried alone.
fn names_a_culprit(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["22", "23", "40"].iter().any(|class| code.starts_with(class)))
}
