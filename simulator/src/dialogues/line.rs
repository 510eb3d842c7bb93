//! One line of the file to one dialogue.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Dialogue, LineProblem, Message, Speaker, TimeBasis};

const TEXT: &str = "a text";
const TEXT_OR_NULL: &str = "a text or null";
const OBJECT: &str = "an object";
const TIME: &str = "an RFC 3339 time such as 2026-06-01T09:30:00Z";
const PHONE: &str = "an E.164 number: + and 8 to 15 digits, the first not 0";
const FROM: &str = "\"customer\" or \"agent\"";
const BASIS: &str = "\"source\" or \"derived\"";

/// Longest part of a wrong value that an error repeats, in characters.
const QUOTED: usize = 40;

pub(super) fn read(content: &[u8]) -> Result<Dialogue, LineProblem> {
    let text = std::str::from_utf8(content).map_err(|_| LineProblem::NotUtf8)?;
    if text.trim().is_empty() {
        return Err(LineProblem::Blank);
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| LineProblem::NotJson { reason: error.to_string() })?;
    let root = Fields::of(&value, String::new())?;
    let customer = root.object("customer")?;
    let agent = root.optional_object("agent")?;
    let meta = root.optional_object("meta")?;
    let optional = |fields: &Option<Fields<'_>>, name: &str| match fields {
        Some(fields) => fields.optional_text(name),
        None => Ok(None),
    };
    Ok(Dialogue {
        id: root.filled_text("dialog_id")?,
        source: root.text("source")?.to_owned(),
        started_at: root.time("started_at")?,
        customer_name: customer.optional_text("name")?,
        phone: phone(&customer)?,
        agent_name: optional(&agent, "name")?,
        agent_ref: optional(&meta, "agent_ref")?,
        outcome: root.optional_text("outcome")?,
        lang: optional(&meta, "lang")?,
        time_basis: time_basis(meta.as_ref())?,
        messages: messages(&root)?,
    })
}

fn phone(customer: &Fields<'_>) -> Result<String, LineProblem> {
    let phone = customer.text("phone")?;
    let is_e164 = phone.strip_prefix('+').is_some_and(|digits| {
        (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
    });
    if is_e164 { Ok(phone.to_owned()) } else { Err(customer.wrong("phone", PHONE)) }
}

fn time_basis(meta: Option<&Fields<'_>>) -> Result<TimeBasis, LineProblem> {
    let Some(meta) = meta else { return Ok(TimeBasis::Source) };
    match meta.optional_text("time_basis")?.as_deref() {
        None | Some("source") => Ok(TimeBasis::Source),
        Some("derived") => Ok(TimeBasis::Derived),
        Some(_) => Err(meta.wrong("time_basis", BASIS)),
    }
}

fn messages(root: &Fields<'_>) -> Result<Vec<Message>, LineProblem> {
    let Value::Array(items) = root.required("messages", "a list of messages")? else {
        return Err(root.wrong("messages", "a list of messages"));
    };
    if items.is_empty() {
        return Err(LineProblem::NoMessages);
    }
    let mut messages: Vec<Message> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let fields = Fields::of(item, format!("messages[{index}]"))?;
        let at = fields.time("at")?;
        if messages.last().is_some_and(|before| before.at > at) {
            return Err(LineProblem::OutOfOrder { path: fields.path("at") });
        }
        let from = match fields.text("from")? {
            "customer" => Speaker::Customer,
            "agent" => Speaker::Agent,
            _ => return Err(fields.wrong("from", FROM)),
        };
        messages.push(Message { at, from, text: fields.text("text")?.to_owned() });
    }
    Ok(messages)
}

/// An object of the line, with the path that leads to it.
struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, path: String) -> Result<Self, LineProblem> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            other if path.is_empty() => {
                Err(LineProblem::Wrong { path: "the line".into(), expected: OBJECT, found: found(other) })
            }
            other => Err(LineProblem::Wrong { path, expected: OBJECT, found: found(other) }),
        }
    }

    fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn wrong(&self, name: &str, expected: &'static str) -> LineProblem {
        let value = self.map.get(name).unwrap_or(&Value::Null);
        LineProblem::Wrong { path: self.path(name), expected, found: found(value) }
    }

    fn required(&self, name: &str, expected: &'static str) -> Result<&'a Value, LineProblem> {
        self.map.get(name).ok_or_else(|| LineProblem::Missing { path: self.path(name), expected })
    }

    fn object(&self, name: &str) -> Result<Self, LineProblem> {
        Self::of(self.required(name, OBJECT)?, self.path(name))
    }

    fn optional_object(&self, name: &str) -> Result<Option<Self>, LineProblem> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => Self::of(value, self.path(name)).map(Some),
        }
    }

    fn text(&self, name: &str) -> Result<&'a str, LineProblem> {
        self.required(name, TEXT)?.as_str().ok_or_else(|| self.wrong(name, TEXT))
    }

    fn filled_text(&self, name: &str) -> Result<String, LineProblem> {
        let text = self.text(name)?;
        if text.trim().is_empty() { Err(self.wrong(name, "a text that is not empty")) } else { Ok(text.to_owned()) }
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, LineProblem> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, TEXT_OR_NULL)),
        }
    }

    fn time(&self, name: &str) -> Result<DateTime<Utc>, LineProblem> {
        let text = self.required(name, TIME)?.as_str().ok_or_else(|| self.wrong(name, TIME))?;
        DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc)).map_err(|_| self.wrong(name, TIME))
    }
}

/// What stands there instead, short enough for an error.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "true or false".into(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if text.chars().count() > QUOTED => {
            format!("{:?}…", text.chars().take(QUOTED).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
