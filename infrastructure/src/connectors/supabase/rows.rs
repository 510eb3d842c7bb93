//! Rows of the tenant's tables, and their batches.

use std::collections::HashMap;
use std::hash::Hash;

use application::ports::services::{Chat, ChatMessage, Contact, Deal, StoredReport};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ids::{ReportId, RunId};
use domain::metrics::Metrics;
use domain::narrative::Narrative;
use domain::period::Period;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn contact(contact: &Contact) -> Value {
    json!({"id": contact.id, "name": contact.name, "phones": contact.phones})
}

pub(super) fn deal(deal: &Deal) -> Value {
    json!({
        "id": deal.id,
        "name": deal.name,
        "outcome": deal.outcome,
        "status_id": deal.status_id,
        "pipeline_id": deal.pipeline_id,
        "price_minor": deal.price_minor,
        "responsible": deal.responsible,
        "contact_ids": deal.contacts.iter().map(|contact| contact.id).collect::<Vec<_>>(),
        "created_at": time(deal.created_at),
        "updated_at": time(deal.updated_at),
        "closed_at": deal.closed_at.map(time),
    })
}

pub(super) fn chat(chat: &Chat) -> Value {
    json!({"id": chat.id, "contact_name": chat.contact_name, "phone": chat.phone})
}

pub(super) fn message(message: &ChatMessage) -> Value {
    json!({
        "chat_id": message.chat_id,
        "message_id": message.id,
        "written_at": time(message.at),
        "sender": message.from,
        "kind": message.kind,
        "text": message.text,
    })
}

pub(super) fn report(report: &StoredReport) -> Value {
    json!({
        "id": report.id,
        "run_id": report.run_id,
        "period_from": time(report.period.from),
        "period_to": time(report.period.to),
        "headline": report.headline,
        "body": report.body,
        "metrics": report.metrics,
        "narrative": report.narrative,
    })
}

/// A row of the reports' table as it is read back.
#[derive(Debug, Deserialize)]
pub(super) struct ReportRow {
    id: ReportId,
    run_id: RunId,
    period_from: DateTime<Utc>,
    period_to: DateTime<Utc>,
    headline: String,
    body: String,
    metrics: Metrics,
    narrative: Narrative,
}

/// A row of the versions' table.
#[derive(Debug, Deserialize)]
pub(super) struct VersionRow {
    pub(super) version: u32,
}

impl From<ReportRow> for StoredReport {
    fn from(row: ReportRow) -> Self {
        Self {
            id: row.id,
            run_id: row.run_id,
            period: Period { from: row.period_from, to: row.period_to },
            headline: row.headline,
            body: row.body,
            metrics: row.metrics,
            narrative: row.narrative,
        }
    }
}

/// PostgreSQL keeps microseconds.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The items with every key once, of several with one key the last: PostgreSQL refuses to change one row twice in one
/// statement (sheet §2).
pub(super) fn last_of_each<'a, T, K: Eq + Hash>(
    items: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = &'a T> {
    let last: HashMap<K, usize> = items.iter().enumerate().map(|(place, item)| (key(item), place)).collect();
    items.iter().enumerate().filter(move |(place, item)| last.get(&key(item)) == Some(place)).map(|(_, item)| item)
}

/// Rows on their way into one insert, as the JSON array that is sent.
pub(super) struct Batch {
    most_rows: usize,
    most_bytes: usize,
    rows: usize,
    body: String,
}

impl Batch {
    pub(super) fn new(most_rows: usize, most_bytes: usize) -> Self {
        Self { most_rows, most_bytes, rows: 0, body: String::new() }
    }

    /// Takes a row; hands out the batch so far where the row would be too much for it. A row that is too much for any
    /// batch travels alone.
    pub(super) fn push(&mut self, mut row: Value) -> Option<String> {
        remove_nul(&mut row);
        let row = row.to_string();
        let full = self.rows == self.most_rows || self.body.len() + row.len() + 2 > self.most_bytes;
        let sent = if full { self.take() } else { None };
        self.body.push(if self.rows == 0 { '[' } else { ',' });
        self.body.push_str(&row);
        self.rows += 1;
        sent
    }

    /// What has not been handed out yet.
    pub(super) fn take(&mut self) -> Option<String> {
        if self.rows == 0 {
            return None;
        }
        self.rows = 0;
        let mut body = std::mem::take(&mut self.body);
        body.push(']');
        Some(body)
    }
}

/// PostgreSQL stores no NUL character in a text; people's messages hold one now and then.
fn remove_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(remove_nul),
        Value::Object(fields) => fields.values_mut().for_each(remove_nul),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::metrics::Sender;

    use super::*;

    /// The ids in each batch.
    fn batched(ids: impl IntoIterator<Item = i64>, most_rows: usize, most_bytes: usize) -> Vec<Vec<i64>> {
        let mut batch = Batch::new(most_rows, most_bytes);
        let mut bodies: Vec<_> = ids.into_iter().filter_map(|id| batch.push(json!({"id": id}))).collect();
        bodies.extend(batch.take());
        assert_eq!(batch.take(), None);
        let ids = |body: String| {
            let rows: Vec<Value> = serde_json::from_str(&body).unwrap();
            rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
        };
        bodies.into_iter().map(ids).collect()
    }

    #[test]
    fn batches_are_limited_by_rows_and_by_bytes() {
        assert_eq!(batched(0..7, 3, 1_000_000), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
        assert_eq!(batched(0..3, 100, r#"[{"id":0},{"id":1}]"#.len()), [vec![0, 1], vec![2]]);
        assert_eq!(batched(0..2, 100, 1), [vec![0], vec![1]]);
        assert!(batched([], 3, 3).is_empty());
    }

    #[test]
    fn a_key_comes_once_and_its_last_item_counts() {
        let items = [(1, "a"), (2, "b"), (1, "c")];
        let kept: Vec<_> = last_of_each(&items, |item| item.0).copied().collect();
        assert_eq!(kept, [(2, "b"), (1, "c")]);
    }

    #[test]
    fn a_message_is_stored_without_characters_that_postgresql_refuses() {
        let row = message(&ChatMessage {
            id: "m".into(),
            chat_id: 1,
            at: DateTime::UNIX_EPOCH,
            from: Sender::Agent,
            text: "a\0b".into(),
            kind: "text".into(),
        });
        let mut batch = Batch::new(10, 1_000);
        batch.push(row);
        let rows: Value = serde_json::from_str(&batch.take().unwrap()).unwrap();
        assert_eq!(rows[0]["text"], "ab");
        assert_eq!(rows[0]["written_at"], "1970-01-01T00:00:00.000000Z");
    }
}
