//! The appender's own connections, and the epochs that their failures divide time into.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, Postgres};

use crate::database::{Database, Mode, TRUSTED};

/// How long a connection may take to show that it is alive.
const PING: Duration = Duration::from_secs(5);

/// Which server it is: one that takes over was started at another time. And a plan that was made while the log was small
/// must not look through all of it when it has grown: the statement that appends looks for rows by their keys only.
const OPENED: &str = "select pg_postmaster_start_time()::text from set_config('enable_seqscan', 'off', false)";

/// A span of time in which nothing that was recorded can have been lost again.
///
/// One ends where a connection breaks, a statement stays unanswered, or another server answers. A failover may lie behind
/// each of these, and the server that took over may lack events that the old one had acknowledged, or have others in
/// their place. What was remembered before is then no state to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch(u64);

/// Connections that are kept between statements. They are not the pool's, which asks each connection that comes back
/// whether it is alive: a second round trip for every statement. The embedded database has one connection, so there it
/// is the pool's.
pub(super) struct Connections {
    database: Database,
    kept: Mutex<Kept>,
}

struct Kept {
    epoch: Epoch,
    /// Which server the connections of this epoch lead to.
    server: Option<String>,
    /// Those that no statement uses now, all of this epoch, and when one last did.
    idle: Vec<(PgConnection, Instant)>,
}

impl Kept {
    fn begin_epoch(&mut self) {
        self.epoch.0 += 1;
        self.idle.clear();
    }
}

/// A connection in use.
pub(super) struct Line {
    pub(super) epoch: Epoch,
    held: Held,
}

enum Held {
    Own(PgConnection),
    Pooled(PoolConnection<Postgres>),
}

impl Line {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        match &mut self.held {
            Held::Own(connection) => connection,
            Held::Pooled(connection) => connection,
        }
    }
}

impl Connections {
    pub(super) fn new(database: Database) -> Self {
        Self { database, kept: Mutex::new(Kept { epoch: Epoch(0), server: None, idle: Vec::new() }) }
    }

    /// A connection; one that has been idle for a while only if it still answers.
    pub(super) async fn take(&self) -> Result<Line, sqlx::Error> {
        if self.database.mode() == Mode::Embedded {
            let held = Held::Pooled(self.database.pool().acquire().await?);
            return Ok(Line { epoch: self.lock().epoch, held });
        }
        loop {
            let (epoch, idle) = {
                let mut kept = self.lock();
                (kept.epoch, kept.idle.pop())
            };
            let Some((mut connection, used)) = idle else { return self.open().await };
            if used.elapsed() < TRUSTED || in_time(connection.ping()).await.is_ok() {
                return Ok(Line { epoch, held: Held::Own(connection) });
            }
            self.end(epoch);
        }
    }

    /// Keeps a connection for later.
    pub(super) fn give_back(&self, line: Line) {
        let Held::Own(connection) = line.held else { return };
        let mut kept = self.lock();
        if kept.epoch == line.epoch {
            kept.idle.push((connection, Instant::now()));
        }
    }

    /// Uses a connection no more that broke, or whose statement was given up. Its epoch ends.
    #[expect(clippy::needless_pass_by_value, reason = "it is not to be used any more")]
    pub(super) fn give_up(&self, line: Line) {
        self.end(line.epoch);
    }

    /// Opens a connection. One that leads to another server than those before ends their epoch.
    async fn open(&self) -> Result<Line, sqlx::Error> {
        let mut connection = self.database.own_connection().await?;
        let opened = sqlx::query_scalar(OPENED).fetch_one(&mut connection);
        let server: String = in_time(opened).await?;
        let mut kept = self.lock();
        if kept.server.replace(server.clone()).is_some_and(|before| before != server) {
            kept.begin_epoch();
        }
        Ok(Line { epoch: kept.epoch, held: Held::Own(connection) })
    }

    /// Ends an epoch, once, however many of its connections break.
    fn end(&self, epoch: Epoch) {
        let mut kept = self.lock();
        if kept.epoch == epoch {
            kept.begin_epoch();
        }
    }

    /// Nobody panics while holding it.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(PING, answer).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
