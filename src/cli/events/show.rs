//! Everything of one event, or of all that happened to one aggregate.

use application::ports::commands::LogPosition;
use clap::Args;
use domain::events::is_personal;
use infrastructure::event_store::{LogQuery, LoggedEvent};
use serde_json::{Map, Value};

use super::Out;
use super::filter::{Input, aggregate};
use super::view::{self, actor, plain, time, whole};
use crate::cli::CliError;

/// Entries of the metadata that the heading of an event tells already.
const TOLD: [&str; 2] = ["actor_kind", "actor_id"];

#[derive(Args)]
pub(super) struct ShowArgs {
    /// A position such as 1-7431-205, or an aggregate as TYPE:ID.
    #[arg(value_name = "POSITION|TYPE:ID")]
    target: String,
    /// Of the aggregate only the event with this number, counted from 1.
    #[arg(long, value_name = "N")]
    sequence: Option<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) struct Request {
    /// None where it was not understood, which is remembered elsewhere.
    target: Option<Target>,
    json: bool,
}

enum Target {
    Position(LogPosition),
    Aggregate { name: String, id: String, sequence: Option<i64> },
}

impl ShowArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        let sequence = self.sequence.map(|text| input.number("--sequence", &text, i64::MAX));
        let target = input.read("POSITION|TYPE:ID", Some(&self.target), |text| target(text, sequence));
        Request { target, json: self.json }
    }
}

fn target(text: &str, sequence: Option<i64>) -> Result<Target, String> {
    if text.contains(':') {
        return match aggregate(text)? {
            (name, Some(id)) => Ok(Target::Aggregate { name, id, sequence }),
            (_, None) => Err("an id must follow the colon".into()),
        };
    }
    match text.parse() {
        Ok(_) if sequence.is_some() => Err("--sequence counts the events of an aggregate: name one as TYPE:ID".into()),
        Ok(position) => Ok(Target::Position(position)),
        Err(error) => Err(format!("{error}; an aggregate is named as TYPE:ID")),
    }
}

pub(super) async fn run(query: &LogQuery, request: Request, out: &mut Out) -> Result<(), CliError> {
    let events = match request.target {
        None => Vec::new(),
        Some(Target::Position(position)) => query.at(position).await?.into_iter().collect(),
        Some(Target::Aggregate { name, id, sequence }) => query.history(&name, &id, sequence).await?,
    };
    if events.is_empty() {
        return Err("there is no such event in the log".into());
    }
    for (n, event) in events.iter().enumerate() {
        if request.json {
            out.line(&with_personal_named(event).to_string())?;
        } else {
            if n > 0 {
                out.line("")?;
            }
            for line in lines(event) {
                out.line(&plain(&line))?;
            }
        }
    }
    Ok(())
}

fn with_personal_named(event: &LoggedEvent) -> Value {
    let mut object = whole(event);
    let personal = leaves(&event.payload).into_iter().filter(|leaf| leaf.is_personal(event)).map(|leaf| leaf.path);
    object["personal"] = personal.collect();
    object
}

fn lines(event: &LoggedEvent) -> Vec<String> {
    let mut lines = vec![format!("{}, version {}", event.event_type, event.event_version)];
    let mut entry = |name: &str, value: &str| lines.push(format!("  {name:<16}  {value}"));
    entry("position", &event.position.to_string());
    entry("recorded", &time(event.recorded_at));
    entry("aggregate", &format!("{}, event {} of it", view::aggregate(event), event.sequence));
    entry("tenant", &event.tenant_id.map_or_else(|| "none: the platform's own".to_owned(), |id| id.to_string()));
    entry("actor", &actor(event));
    for leaf in leaves(&event.metadata) {
        if !TOLD.contains(&leaf.path.as_str()) {
            entry(&leaf.path, &leaf.text());
        }
    }
    lines.push("  payload".to_owned());
    for leaf in leaves(&event.payload) {
        let mark = if leaf.is_personal(event) { "  (personal)" } else { "" };
        lines.push(format!("    {:<28}  {}{mark}", leaf.path, leaf.text()));
    }
    lines
}

/// A value inside of a JSON object, and where it stands.
struct Leaf<'a> {
    /// As in `metrics.agents[0].name`.
    path: String,
    /// The same without the numbers: `metrics.agents[].name`.
    field: String,
    value: &'a Value,
}

impl Leaf<'_> {
    fn is_personal(&self, event: &LoggedEvent) -> bool {
        is_personal(&event.event_type, &self.field)
    }

    fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

fn leaves(object: &Value) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    collect(String::new(), String::new(), object, &mut found);
    // The event's name, which the heading tells.
    found.retain(|leaf| leaf.path != "type");
    found
}

fn collect<'a>(path: String, field: String, value: &'a Value, found: &mut Vec<Leaf<'a>>) {
    let below = |above: &str, name: &str| if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
    match value {
        Value::Object(members) if !Map::is_empty(members) => {
            for (name, member) in members {
                collect(below(&path, name), below(&field, name), member, found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                collect(format!("{path}[{n}]"), format!("{field}[]"), item, found);
            }
        }
        value => found.push(Leaf { path, field, value }),
    }
}
