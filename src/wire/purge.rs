//! Deleting what has outlived its time.

use std::time::Duration;

use application::PortError;

use super::{System, clock};

/// How often.
const PURGE_EVERY: Duration = Duration::from_hours(1);

impl System {
    pub(super) async fn purge(&self) {
        loop {
            purged("expired staged data", self.base.staging.purge().await);
            purged("old receipts", self.base.receipts.purge().await);
            purged("old refresh tokens", self.accounts.refresh_tokens.purge(clock().now()).await);
            purged("old links, what was left of mails, and of removed users", self.people.purge().await);
            purged("old authorizations", self.base.oauth.purge().await);
            purged("secrets of keys that open nothing", self.base.key_secrets.purge().await);
            tokio::time::sleep(PURGE_EVERY).await;
        }
    }
}

fn purged(what: &str, outcome: Result<u64, PortError>) {
    match outcome {
        Ok(rows) => tracing::debug!(rows, "deleted {what}"),
        Err(error) => tracing::warn!(%error, "{what} could not be deleted"),
    }
}
