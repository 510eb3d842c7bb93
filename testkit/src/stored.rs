//! The log behind a system, as a test looks at it.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::TestApp;
use crate::actors::Actor;

/// How long the history may take to show what was recorded, and how often it is looked at.
const HISTORY_PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// An event as the log holds it.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its type.
    pub event_type: String,
    /// What happened.
    pub payload: Value,
    /// Under which circumstances.
    pub metadata: Value,
}

impl TestApp {
    /// The whole log, in its order.
    pub async fn events(&self) -> Vec<StoredEvent> {
        let rows = sqlx::query_as("select event_type, payload, metadata from events order by tx, position");
        let rows: Vec<(String, Value, Value)> = rows.fetch_all(self.database().pool()).await.expect("the log answers");
        let event = |(event_type, payload, metadata)| StoredEvent { event_type, payload, metadata };
        rows.into_iter().map(event).collect()
    }

    /// Fails where a secret is in the event log.
    pub async fn assert_log_keeps_secrets(&self) {
        let events = self.events().await;
        assert!(!events.is_empty());
        self.secrets.assert_none_in(&format!("{events:?}"), "the event log");
    }

    /// The newest event of the company's history that the query asks for, as this caller is shown it, once there is one.
    ///
    /// Another test's open transaction may hold the end of the history back.
    pub async fn event_shown(&self, caller: &Actor, query: &str) -> Value {
        let deadline = Instant::now() + HISTORY_PATIENCE;
        loop {
            let page = caller.get(&format!("/api/v1/audit?limit=1&{query}")).await.expect(200);
            if let Some(entry) = page["items"].get(0) {
                return entry.clone();
            }
            assert!(Instant::now() < deadline, "the history has nothing where {query}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
