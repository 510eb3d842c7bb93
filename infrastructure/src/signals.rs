//! Hints that something new is in the log or in the read models. Whoever waits for one also polls: a hint may be lost.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::database::Database;

/// The channel of NOTIFY.
pub(crate) const CHANNEL: &str = "synkro_log";

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
    /// Waits for a hint, at most so long.
    pub async fn wait(&mut self, most: Duration) {
        let _ = tokio::time::timeout(most, self.0.changed()).await;
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

async fn listen_once(database: &Database, log: &Signal) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(database.pool()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        listener.recv().await?;
        log.notify();
    }
}
