//! What a new version changes, by name: the audit tells who changed which key, and never a value.

use serde_json::{Map, Value};

use super::{Configured, IntegrationSettings, SecretRef};

/// The fields and secrets that differ from what is saved; all that are given where nothing is.
pub(super) fn changed(
    current: Option<&Configured>,
    settings: &IntegrationSettings,
    secrets: &[SecretRef],
) -> Vec<String> {
    let before = current.map(|current| fields(&current.settings)).unwrap_or_default();
    let after = fields(settings);
    let differs =
        |name: &&String| before.get(*name).unwrap_or(&Value::Null) != after.get(*name).unwrap_or(&Value::Null);
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let mut changed: Vec<String> =
        after.keys().chain(gone).filter(differs).map(|name| format!("settings.{name}")).collect();
    let kept = current.map(|current| current.secrets.as_slice()).unwrap_or_default();
    let replaced = secrets.iter().filter(|secret| !kept.contains(secret));
    changed.extend(replaced.map(|secret| format!("secrets.{}", secret.name.name())));
    changed
}

/// The settings by field, as they are stored; without the kind, which never changes.
fn fields(settings: &IntegrationSettings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("kind");
            fields
        }
        _ => Map::new(),
    }
}
