//! How events look: as lines of a table, and as JSON.

use std::collections::HashMap;
use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use infrastructure::event_store::{LogQuery, LoggedEvent};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Out;
use crate::cli::CliError;

/// Lines without the events' contents, which may be personal.
pub(super) struct Table {
    json: bool,
    slugs: HashMap<Uuid, String>,
}

impl Table {
    pub(super) fn new(json: bool) -> Self {
        Self { json, slugs: HashMap::new() }
    }

    pub(super) fn header(&self, out: &mut Out) -> io::Result<()> {
        if self.json { Ok(()) } else { out.line(&row(["TIME", "POSITION", "TENANT", "AGGREGATE", "EVENT", "ACTOR"])) }
    }

    pub(super) async fn events(
        &mut self,
        query: &LogQuery,
        events: &[LoggedEvent],
        out: &mut Out,
    ) -> Result<(), CliError> {
        if !self.json {
            self.learn(query, events).await?;
        }
        for event in events {
            let line = if self.json { heading(event).to_string() } else { self.line(event) };
            out.line(&line)?;
        }
        Ok(())
    }

    /// Slugs are shorter to read than ids. A slug that is not known yet is asked for again at the tenant's next event.
    async fn learn(&mut self, query: &LogQuery, events: &[LoggedEvent]) -> Result<(), CliError> {
        let new = |tenant: &Uuid| !self.slugs.contains_key(tenant);
        let mut unknown: Vec<Uuid> = events.iter().filter_map(|event| event.tenant_id).filter(new).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            self.slugs.extend(query.slugs(&unknown).await?);
        }
        Ok(())
    }

    fn line(&self, event: &LoggedEvent) -> String {
        let tenant = event.tenant_id.map_or_else(
            || "-".to_owned(),
            |tenant| self.slugs.get(&tenant).cloned().unwrap_or_else(|| tenant.to_string()),
        );
        row([
            &time(event.recorded_at),
            &event.position.to_string(),
            &tenant,
            &aggregate(event),
            &event.event_type,
            &actor(event),
        ])
    }
}

/// The widths are those of usual values; a longer one moves the rest of its line.
fn row([time, position, tenant, aggregate, event, actor]: [&str; 6]) -> String {
    plain(&format!("{time:<24}  {position:<14}  {tenant:<16}  {aggregate:<48}  {event:<22}  {actor}"))
}

/// What a list says of an event.
fn heading(event: &LoggedEvent) -> Value {
    json!({
        "position": event.position.to_string(),
        "recorded_at": event.recorded_at,
        "tenant_id": event.tenant_id,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "event_version": event.event_version,
        "actor_kind": event.circumstance("actor_kind"),
        "actor_id": event.circumstance("actor_id"),
        "correlation_id": event.circumstance("correlation_id"),
    })
}

/// Everything of an event, as the log has it.
pub(super) fn whole(event: &LoggedEvent) -> Value {
    json!({
        "position": event.position.to_string(),
        "recorded_at": event.recorded_at,
        "tenant_id": event.tenant_id,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "event_version": event.event_version,
        "payload": event.payload,
        "metadata": event.metadata,
    })
}

pub(super) fn aggregate(event: &LoggedEvent) -> String {
    format!("{}:{}", event.aggregate_type, event.aggregate_id)
}

pub(super) fn actor(event: &LoggedEvent) -> String {
    let part = |name| event.circumstance(name).unwrap_or_else(|| "-".to_owned());
    format!("{} {}", part("actor_kind"), part("actor_id"))
}

pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The text without anything that would steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_sent_cannot_steer_the_terminal() {
        assert_eq!(plain("Ann\u{1b}[2J\n\u{9b}1m Ünal"), "Ann\\u{1b}[2J\\u{a}\\u{9b}1m Ünal");
    }
}
