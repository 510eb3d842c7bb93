//! Hints that something new is in the log or in the read models. Whoever waits for one also polls: a hint may be lost.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::database::Database;

/// The channel of NOTIFY. It belongs to the whole database; the hint names the schema whose log has grown.
const CHANNEL: &str = "synkro_log";

/// The least time between two hints to other processes.
const HINT_PAUSE: Duration = Duration::from_millis(5);

/// Pause before listening again after the connection broke.
const RECONNECT: Duration = Duration::from_secs(1);

/// A hint that many can wait for.
#[derive(Clone)]
pub struct Signal(watch::Sender<u64>);

impl Default for Signal {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Signal {
    /// Wakes all who wait.
    pub fn notify(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// What to wait on. It remembers hints from now on, also those that come while nobody waits.
    pub fn subscribe(&self) -> Waiter {
        Waiter(self.0.subscribe())
    }
}

/// One who waits for hints.
pub struct Waiter(watch::Receiver<u64>);

impl Waiter {
    /// Waits for a hint; false where none can come any more.
    async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }

    /// Waits for a hint, at most so long; true where one came.
    pub async fn wait(&mut self, most: Duration) -> bool {
        tokio::time::timeout(most, self.0.changed()).await.is_ok()
    }
}

/// Passes the hints of other processes on, for as long as it is polled. Needs a connection of its own, so the
/// embedded database, which has only one, does without: there all hints arise in this process.
pub async fn listen(database: Database, log: Signal) {
    loop {
        if let Err(error) = listen_once(&database, &log).await {
            tracing::warn!(%error, "not listening for other processes; polling goes on");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Tells other processes what this one has recorded, until it can record nothing any more.
///
/// The statements that append do not do it themselves: PostgreSQL lets transactions with a notification commit only one
/// after the other, and each would hold the next one up until it is durable. This one writes nothing, so it waits for
/// no disk.
pub(crate) async fn tell_others(database: Database, mut recorded: Waiter) {
    while recorded.next().await {
        let told = sqlx::query("select pg_notify($1, current_schema())").bind(CHANNEL).execute(database.pool()).await;
        if let Err(error) = told {
            tracing::debug!(%error, "other processes were not told; they poll");
        }
        tokio::time::sleep(HINT_PAUSE).await;
    }
}

async fn listen_once(database: &Database, log: &Signal) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(database.pool()).await?;
    let schema: String = sqlx::query_scalar("select current_schema()").fetch_one(&mut listener).await?;
    listener.listen(CHANNEL).await?;
    loop {
        if listener.recv().await?.payload() == schema {
            log.notify();
        }
    }
}
