//! Everything of one event, or of all that happened to one aggregate.

use application::ports::commands::LogPosition;
use clap::Args;
use domain::events::is_personal;
use infrastructure::event_store::{AggregateKey, LogQuery, LoggedEvent};
use serde_json::{Map, Value};

use super::Out;
use super::view::{self, actor, plain, time, whole};
use crate::cli::CliError;
use crate::cli::input::{Input, one_aggregate};

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
}

pub(super) struct Request {
    /// None where it was not understood, which is remembered elsewhere.
    target: Option<Target>,
}

enum Target {
    Position(LogPosition),
    Aggregate { aggregate: AggregateKey, sequence: Option<i64> },
}

impl ShowArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        let sequence = self.sequence.map(|text| input.number("--sequence", &text, i64::MAX));
        let target = input.read("POSITION|TYPE:ID", Some(&self.target), |text| target(text, sequence));
        Request { target }
    }
}

fn target(text: &str, sequence: Option<i64>) -> Result<Target, String> {
    if text.contains(':') {
        return Ok(Target::Aggregate { aggregate: one_aggregate(text)?, sequence });
    }
    match text.parse() {
        Ok(_) if sequence.is_some() => Err("--sequence counts the events of an aggregate: name one as TYPE:ID".into()),
        Ok(position) => Ok(Target::Position(position)),
        Err(error) => Err(format!("{error}; an aggregate is named as TYPE:ID")),
    }
}

pub(super) async fn run(query: &LogQuery, request: Request, json: bool, out: &mut Out) -> Result<(), CliError> {
    let events = match request.target {
        None => Vec::new(),
        Some(Target::Position(position)) => query.at(position).await?.into_iter().collect(),
        Some(Target::Aggregate { aggregate, sequence }) => query.history(&aggregate, sequence).await?,
    };
    if events.is_empty() {
        return Err("there is no such event in the log".into());
    }
    for (n, event) in events.iter().enumerate() {
        if json {
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
    let payload = leaves(&event.payload).into_iter().filter(|leaf| leaf.is_personal(event));
    let metadata = leaves(&event.metadata).into_iter().filter(|leaf| is_personal_circumstance(event, &leaf.path));
    let payload = payload.map(|leaf| format!("payload.{}", leaf.path));
    let metadata = metadata.map(|leaf| format!("metadata.{}", leaf.path));
    object["personal"] = payload.chain(metadata).collect();
    object
}

fn lines(event: &LoggedEvent) -> Vec<String> {
    let mut lines = vec![format!("{}, version {}", event.event_type, event.event_version)];
    let mut entry = |name: &str, value: &str| lines.push(format!("  {name:<16}  {value}"));
    entry("position", &event.position.to_string());
    entry("recorded", &time(event.recorded_at));
    entry("aggregate", &format!("{}, event {} of it", view::aggregate(event), event.sequence));
    entry("tenant", &event.tenant_id.map_or_else(|| "none: the platform's own".to_owned(), |id| id.to_string()));
    let marked = |name: &str, text: String| text + mark(is_personal_circumstance(event, name));
    entry("actor", &marked("actor_id", actor(event)));
    for leaf in leaves(&event.metadata) {
        if !TOLD.contains(&leaf.path.as_str()) {
            entry(&leaf.path, &marked(&leaf.path, leaf.text()));
        }
    }
    lines.push("  payload".to_owned());
    for leaf in leaves(&event.payload) {
        lines.push(format!("    {:<28}  {}{}", leaf.path, leaf.text(), mark(leaf.is_personal(event))));
    }
    lines
}

/// What stands behind a value about a person.
fn mark(is_personal: bool) -> &'static str {
    if is_personal { "  (personal)" } else { "" }
}

/// Whether an entry of the metadata is about a person: where a request came from, and the name that an operator goes by.
/// Users are named by ids that tell nothing, parts of Synkro are nobody.
fn is_personal_circumstance(event: &LoggedEvent, name: &str) -> bool {
    match name {
        "ip" | "user_agent" => true,
        "actor_id" => event.circumstance("actor_kind").as_deref() == Some("support"),
        _ => false,
    }
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
