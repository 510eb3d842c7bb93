//! `docs/events.md` says what is in every event. It is made from the golden files, so that it cannot say anything else;
//! `UPDATE_DOCS=1` writes it.

mod golden_files;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use domain::events::CATALOGUE;
use golden_files::Golden;
use serde_json::Value;
use uuid::Uuid;

const INTRODUCTION: &str = "\
# Events

Generated from the golden files in `domain/tests/golden/`; do not edit. After a change of the events:
`UPDATE_DOCS=1 cargo test -p domain --test events_reference`.

Events are a published language. A name or a field that stands here keeps its meaning for as long as the log exists; a
change is a new version of the event with a golden file of its own, and an upcaster that reads the old one.

Each payload also has the field `type`, which repeats the event's name. A field of an item of a list is written
`list[].field`. Times are UTC (RFC 3339). A field that is *not always* there depends on the form of the event; the
golden files show each form. Who acted, by which right and from where is not in the payload but in the event's metadata.
";

/// What the golden files of one event say about one of its fields.
#[derive(Default)]
struct Field {
    kinds: Vec<&'static str>,
    example: Option<String>,
    files: usize,
}

type Fields = BTreeMap<String, Field>;

fn reference(files: &[Golden]) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (aggregate, events) in CATALOGUE {
        let _ = write!(text, "\n## {aggregate}\n\n| event | version | fields |\n|---|---|---|\n");
        let forms = |event: &str, version: &str| -> Vec<&Golden> {
            files.iter().filter(|golden| golden.is_of(aggregate, event, version)).collect()
        };
        for (event, version) in *events {
            let anchor = format!("#{}-version-{version}", event.to_lowercase());
            let names = outermost(&fields(&forms(event, version)));
            let _ = writeln!(text, "| [{event}]({anchor}) | {version} | {names} |");
        }
        for (event, version) in *events {
            let forms = forms(event, version);
            let _ = write!(text, "\n### {event}, version {version}\n\n{}\n\n", links(&forms));
            table(&mut text, &fields(&forms), forms.len());
        }
    }
    text
}

/// The names of a payload's own fields, without what is inside them.
fn outermost(fields: &Fields) -> String {
    let names: BTreeSet<&str> = fields.keys().filter_map(|path| path.split(['.', '[']).next()).collect();
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn links(forms: &[&Golden]) -> String {
    let link = |golden: &&Golden| {
        let form = golden.form.as_deref().unwrap_or("usual").replace('_', " ");
        format!("[{form}](../domain/tests/golden/{})", golden.path())
    };
    let links: Vec<String> = forms.iter().map(link).collect();
    format!("{}: {}", if links.len() == 1 { "Form" } else { "Forms" }, links.join(", "))
}

fn table(text: &mut String, fields: &Fields, forms: usize) {
    let _ = writeln!(text, "| field | holds | example |\n|---|---|---|");
    for (name, field) in fields {
        let sometimes = if field.files < forms { "; not always" } else { "" };
        let example = field.example.as_deref().map(|example| format!("`{example}`")).unwrap_or_default();
        let _ = writeln!(text, "| `{name}` | {}{sometimes} | {example} |", field.kinds.join(" or "));
    }
}

/// The fields of all forms of one event. Where a list is empty in one form, another one shows what is inside.
fn fields(forms: &[&Golden]) -> Fields {
    let mut all = Fields::new();
    for golden in forms {
        let payload: Value = serde_json::from_str(&golden.text).expect("a golden file is JSON");
        let mut here = Fields::new();
        collect("", &payload, &mut here);
        here.remove("type");
        for (name, field) in here {
            let known = all.entry(name).or_default();
            field.kinds.into_iter().for_each(|kind| known.add_kind(kind));
            known.example = known.example.take().or(field.example);
            known.files += 1;
        }
    }
    let filled = |name: &str| {
        let inside = |other: &String| other.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '[']));
        all.keys().any(inside)
    };
    let empty: Vec<String> = all.keys().filter(|name| filled(name)).cloned().collect();
    for name in empty {
        all.remove(&name);
    }
    all
}

impl Field {
    fn add_kind(&mut self, kind: &'static str) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
            self.kinds.sort_by_key(|kind| *kind == "nothing");
        }
    }
}

fn collect(path: &str, value: &Value, fields: &mut Fields) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            members.iter().for_each(|(name, member)| collect(&below(name), member, fields));
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                collect(&format!("{path}[]"), item, fields);
            }
        }
        leaf => {
            let field = fields.entry(path.to_owned()).or_default();
            field.add_kind(kind(leaf));
            field.example = field.example.take().or_else(|| example(leaf));
        }
    }
}

fn example(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.replace('|', "\\|"),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "yes or no",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "whole number",
        Value::String(text) if Uuid::parse_str(text).is_ok() => "id",
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => "time",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "names with values",
    }
}

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md")
}

#[test]
fn the_reference_of_events_is_current() {
    let current = reference(&golden_files::all());
    if golden_files::asked_for("UPDATE_DOCS") {
        fs::write(document(), &current).expect("the reference can be written");
    }
    let written = fs::read_to_string(document()).unwrap_or_default();
    assert!(
        written == current,
        "docs/events.md does not say what the golden files show: run \
         `UPDATE_DOCS=1 cargo test -p domain --test events_reference` and review the difference"
    );
}

#[test]
fn a_field_is_described_by_all_forms_of_its_event() {
    let golden = |form: Option<&str>, text: &str| Golden {
        aggregate: "tenant".into(),
        event: "TenantActivated".into(),
        version: "1".into(),
        form: form.map(Into::into),
        text: text.into(),
    };
    let usual =
        golden(None, r#"{"type":"TenantActivated","at":null,"items":[{"n":1},{"n":0.5}],"who":"a|b","why":""}"#);
    let timed = golden(Some("with_time"), r#"{"type":"TenantActivated","at":"2026-06-01T00:00:00Z","items":[]}"#);
    let (mut text, fields) = (String::new(), fields(&[&usual, &timed]));
    table(&mut text, &fields, 2);
    let rows: Vec<&str> = text.lines().skip(2).collect();
    assert_eq!(
        rows,
        [
            "| `at` | time or nothing | `2026-06-01T00:00:00Z` |",
            "| `items[].n` | whole number or number; not always | `1` |",
            "| `who` | text; not always | `a\\|b` |",
            "| `why` | text; not always |  |",
        ]
    );
    assert_eq!(outermost(&fields), "`at`, `items`, `who`, `why`");
    assert_eq!(
        links(&[&usual, &timed]),
        "Forms: [usual](../domain/tests/golden/tenant/TenantActivated.v1.json), \
         [with time](../domain/tests/golden/tenant/TenantActivated.v1.with_time.json)"
    );
}
