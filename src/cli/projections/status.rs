//! Where the projections stand, and what they could not apply.

use std::process::ExitCode;

use application::ports::projections::{Standing, Standings};
use infrastructure::database::Database;
use infrastructure::event_store::AggregateKey;
use infrastructure::event_store::Horizon;
use infrastructure::projections::{Checkpoints, ParkedEvent, Retried, retry};
use infrastructure::read_models;
use infrastructure::signals::Signal;
use serde_json::{Value, json};

use super::find;
use crate::cli::{CliError, print, say};

/// The most parked events that are printed.
const MOST_SHOWN: i64 = 1_000;

pub(super) async fn status(database: &Database, as_json: bool) -> Result<ExitCode, CliError> {
    let checkpoints = Checkpoints::new(database.clone(), Signal::default(), &read_models::all());
    let standings = checkpoints.standings().await?;
    Horizon::stall(database).await?.iter().for_each(|stall| say(&stall.to_string()));
    if as_json {
        return print_json(standings.iter().map(standing_json));
    }
    print(&format!(
        "{:<16} {:>20} {:>8} {:>9} {:>9} {:>7}  {}",
        "projection", "position", "behind", "seconds", "events/s", "parked", "fed by"
    ));
    for standing in &standings {
        print(&standing_line(standing));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn parked(database: &Database, as_json: bool) -> Result<ExitCode, CliError> {
    let parked = ParkedEvent::list(database, MOST_SHOWN).await?;
    if i64::try_from(parked.len()).is_ok_and(|shown| shown == MOST_SHOWN) {
        say(&format!("Only the first {MOST_SHOWN} are shown."));
    }
    if as_json {
        return print_json(parked.iter().map(parked_json));
    }
    for event in &parked {
        let ParkedEvent { projection, aggregate, sequence, event_type, position, tries, .. } = event;
        let AggregateKey { aggregate_type, aggregate_id } = aggregate;
        let why = event.error.as_ref().map_or_else(
            || "waits for an earlier event of its aggregate".to_owned(),
            |error| format!("{error} (tries: {tries})"),
        );
        print(&format!("{projection}  {aggregate_type}:{aggregate_id}  {sequence} {event_type} at {position}: {why}"));
    }
    if parked.is_empty() {
        print("No event is parked.");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn retry_parked(
    database: &Database,
    name: &str,
    aggregate: Option<&AggregateKey>,
    as_json: bool,
) -> Result<ExitCode, CliError> {
    let projection = find(name)?;
    let retried = retry(database, projection.as_ref(), aggregate).await?;
    if as_json {
        let body = json!({"replayed": retried.replayed, "still_parked": retried.still_parked});
        print(&serde_json::to_string(&body)?);
    } else {
        print(&format!("{name}: {} replayed, {} still parked.", retried.replayed, retried.still_parked));
    }
    if aggregate.is_some() && retried == Retried::default() {
        return Err("nothing of this aggregate is parked; `synkro projections parked` lists what is".into());
    }
    Ok(if retried.still_parked == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_json(rows: impl Iterator<Item = Value>) -> Result<ExitCode, CliError> {
    print(&serde_json::to_string(&rows.collect::<Vec<_>>())?);
    Ok(ExitCode::SUCCESS)
}

fn standing_line(standing: &Standing) -> String {
    let Standing { name, behind, behind_seconds, events_per_second, parked, .. } = standing;
    let more = if *behind == Standing::MOST_COUNTED { "+" } else { "" };
    let lease = standing.lease.map_or_else(
        || "nobody".to_owned(),
        |lease| format!("{} until {}", lease.holder, lease.until.format("%H:%M:%S UTC")),
    );
    let (position, behind) = (standing.position.to_string(), format!("{behind}{more}"));
    format!("{name:<16} {position:>20} {behind:>8} {behind_seconds:>9.1} {events_per_second:>9.1} {parked:>7}  {lease}")
}

fn standing_json(standing: &Standing) -> Value {
    let Standing { name, position, behind, behind_seconds, events_per_second, parked, lease } = standing;
    json!({
        "name": name,
        "position": position.to_string(),
        "behind": behind,
        "behind_or_more": *behind == Standing::MOST_COUNTED,
        "behind_seconds": behind_seconds,
        "events_per_second": events_per_second,
        "parked": parked,
        "holder": lease.map(|lease| lease.holder),
        "held_until": lease.map(|lease| lease.until),
    })
}

fn parked_json(event: &ParkedEvent) -> Value {
    json!({
        "projection": event.projection,
        "aggregate_type": event.aggregate.aggregate_type,
        "aggregate_id": event.aggregate.aggregate_id,
        "sequence": event.sequence,
        "event_type": event.event_type,
        "position": event.position.to_string(),
        "tenant_id": event.tenant_id,
        "error": event.error,
        "tries": event.tries,
        "parked_at": event.parked_at,
    })
}
