//! The log behind a system, as a test looks at it.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use serde_json::Value;

use crate::TestApp;

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
}
