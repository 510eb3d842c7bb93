//! A fault as the control API takes and shows it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::faults::{Fault, FaultKind};
use crate::http::Service;

/// The names of the kinds, and which of them need a time.
const KINDS: [(&str, bool); 12] = [
    ("status", false),
    ("latency", true),
    ("slow_drip", true),
    ("too_many", false),
    ("malformed", false),
    ("truncated", false),
    ("reset", false),
    ("drop_answer", false),
    ("expired_token", false),
    ("revoked_token", false),
    ("wrong_account", false),
    ("quota_used_up", false),
];

/// Every field that a fault may have.
const FIELDS: [&str; 9] = ["service", "route", "kind", "times", "ms", "status", "retry_after", "body", "headers"];

/// The fault that a body describes, or everything that is wrong with it.
pub(super) fn read(body: &[u8]) -> Result<Fault, Vec<String>> {
    let fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| vec![format!("the body is not a JSON object: {error}")])?;
    let mut errors: Vec<String> = fields
        .keys()
        .filter(|name| !FIELDS.contains(&name.as_str()))
        .map(|name| format!("{name}: there is no such field; there are {}", FIELDS.join(", ")))
        .collect();
    let service = fields.get("service").and_then(Value::as_str).and_then(Service::named);
    if service.is_none() {
        errors.push(unknown_service());
    }
    let route = optional(&fields, "route", "a text such as `POST /rest`", &mut errors, |value| {
        value.as_str().map(str::to_owned)
    });
    let times = optional(&fields, "times", "a whole number above 0", &mut errors, |value| {
        value.as_u64().and_then(|times| u32::try_from(times).ok()).filter(|times| *times > 0)
    });
    let kind = kind(&fields, &mut errors);
    match (service, kind) {
        (Some(service), Some(kind)) if errors.is_empty() => Ok(Fault { service, path_contains: route, kind, times }),
        _ => Err(errors),
    }
}

fn kind(fields: &Map<String, Value>, errors: &mut Vec<String>) -> Option<FaultKind> {
    let named = fields.get("kind").and_then(Value::as_str);
    let Some((name, timed)) = KINDS.into_iter().find(|(name, _)| Some(*name) == named) else {
        errors.push(format!("kind: must be one of {}", KINDS.map(|(name, _)| name).join(", ")));
        return None;
    };
    let time = optional(fields, "ms", "a whole number of milliseconds", errors, Value::as_u64);
    if timed && time.is_none() {
        errors.push(format!("ms: {name} needs it"));
    }
    let pause = Duration::from_millis(time.unwrap_or_default());
    Some(match name {
        "latency" => FaultKind::Delay(pause),
        "slow_drip" => FaultKind::SlowDrip(pause),
        "malformed" => FaultKind::MalformedBody,
        "truncated" => FaultKind::TruncatedBody,
        "reset" => FaultKind::Reset,
        "drop_answer" => FaultKind::DropAnswer,
        "expired_token" => FaultKind::ExpiredToken,
        "revoked_token" => FaultKind::RevokedToken,
        "wrong_account" => FaultKind::WrongAccount,
        "quota_used_up" => FaultKind::QuotaUsedUp,
        _ => answer(fields, name == "too_many", errors),
    })
}

/// An answer as it is: 429 of `too_many`, else the status that is asked for.
fn answer(fields: &Map<String, Value>, too_many: bool, errors: &mut Vec<String>) -> FaultKind {
    let status = optional(fields, "status", "a status between 200 and 599", errors, |value| {
        value.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| (200..600).contains(status))
    });
    if status.is_none() && !too_many && !fields.contains_key("status") {
        errors.push("status: this kind needs it".to_owned());
    }
    let body = optional(fields, "body", "a text", errors, |value| value.as_str().map(str::to_owned));
    let wait = optional(fields, "retry_after", "seconds, or a date as HTTP writes it", errors, |value| match value {
        Value::String(date) => Some(date.clone()),
        other => other.as_u64().map(|seconds| seconds.to_string()),
    });
    let given = optional(fields, "headers", "an object of texts", errors, |value| {
        let pairs = value.as_object()?.iter();
        pairs.map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect::<Option<Vec<_>>>()
    });
    let mut headers = given.unwrap_or_default();
    headers.extend(wait.map(|wait| ("retry-after".to_owned(), wait)));
    FaultKind::Status { status: status.unwrap_or(429), body: body.unwrap_or_default(), headers }
}

fn optional<T>(
    fields: &Map<String, Value>,
    name: &str,
    expected: &str,
    errors: &mut Vec<String>,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let given = fields.get(name).filter(|value| !value.is_null())?;
    let value = read(given);
    if value.is_none() {
        errors.push(format!("{name}: must be {expected}"));
    }
    value
}

pub(super) fn unknown_service() -> String {
    format!("service: must be one of {}", Service::ALL.map(Service::name).join(", "))
}

/// The fault as it is shown. Bodies and headers are left out: they may be long.
pub(super) fn shown(fault: &Fault) -> Value {
    let ms = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let kind = match &fault.kind {
        FaultKind::Status { status, .. } => json!({"kind": "status", "status": status}),
        FaultKind::Delay(time) => json!({"kind": "latency", "ms": ms(time)}),
        FaultKind::SlowDrip(time) => json!({"kind": "slow_drip", "ms": ms(time)}),
        FaultKind::MalformedBody => json!({"kind": "malformed"}),
        FaultKind::TruncatedBody => json!({"kind": "truncated"}),
        FaultKind::Reset => json!({"kind": "reset"}),
        FaultKind::DropAnswer => json!({"kind": "drop_answer"}),
        FaultKind::ExpiredToken => json!({"kind": "expired_token"}),
        FaultKind::RevokedToken => json!({"kind": "revoked_token"}),
        FaultKind::WrongAccount => json!({"kind": "wrong_account"}),
        FaultKind::QuotaUsedUp => json!({"kind": "quota_used_up"}),
    };
    let mut shown = json!({"service": fault.service, "route": fault.path_contains, "times": fault.times});
    if let (Value::Object(shown), Value::Object(kind)) = (&mut shown, kind) {
        shown.extend(kind);
    }
    shown
}
