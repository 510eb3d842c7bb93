//! `docs/openapi.json` is the document that the code makes, and every operation in it is described well enough.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be unwrapped is the failure")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::access::{Permission, PlatformPermission};
use serde_json::Value;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn checked_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

fn document() -> Value {
    serde_json::from_str(&api::openapi_json()).unwrap()
}

/// Every operation with its name for messages and its path.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(METHODS.contains(&method.as_str()), "{path}: {method}");
            operations.push((format!("{method} {path}"), path.clone(), operation.clone()));
        }
    }
    operations
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the one who runs the test asks for the new file")]
fn the_document_is_checked_in() {
    let now = api::openapi_json();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(checked_in(), &now).unwrap();
    }
    let committed = std::fs::read_to_string(checked_in()).unwrap_or_default();
    assert!(
        committed == now,
        "docs/openapi.json is not what the code makes; update it with `cargo run -- openapi > docs/openapi.json` \
         and look at the difference: it is what clients will see"
    );
}

#[test]
fn every_operation_is_described() {
    for (name, _, operation) in operations(&document()) {
        for text in ["operationId", "summary", "description"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {text}");
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name} must have one tag");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {} has no description", parameter["name"]);
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let described = response["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described, "{name}: {status} has no description");
        }
    }
}

#[test]
fn operation_ids_are_unique() {
    let operations = operations(&document());
    let ids: BTreeSet<&str> =
        operations.iter().filter_map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_operation_documents_its_errors_as_problems() {
    let problems = ["400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "502", "503"];
    for (name, _, operation) in operations(&document()) {
        if operation["tags"][0] == "Health" {
            continue;
        }
        for status in problems {
            let schema = &operation["responses"][status]["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{name}: {status}");
        }
    }
}

#[test]
fn health_cannot_fail_but_readiness_can() {
    let document = document();
    let answers = |path: &str| -> Vec<String> {
        document["paths"][path]["get"]["responses"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(answers("/health"), ["200"]);
    assert_eq!(answers("/api/v1/public/healthcheck"), ["200"]);
    assert_eq!(answers("/ready"), ["200", "503"]);
}

#[test]
fn whatever_is_not_public_needs_the_access_token() {
    for (name, path, operation) in operations(&document()) {
        // Where a service leads the browser back, nobody can send a token: the state stands for one.
        let comes_back = path.contains("/callback/");
        let public = operation["tags"][0] == "Health" || path.starts_with("/api/v1/public/") || comes_back;
        let secured = ["AccessToken", "SessionCookie"].iter().enumerate();
        let secured = secured.filter(|(place, scheme)| operation["security"][*place][**scheme].is_array()).count();
        assert_eq!(secured, if public { 0 } else { 2 }, "{name}");
    }
}

/// What everybody may who is signed in, with the own account or as a question about it.
const NEEDS_NO_RIGHT: &[&str] = &[
    "begin_totp",
    "change_password",
    "confirm_totp",
    "disable_totp",
    "end_own_other_sessions",
    "end_own_session",
    "get_current_user",
    "list_own_sessions",
    "renew_recovery_codes",
    "request_email_change",
    "sign_out",
];

#[test]
fn every_operation_names_its_right_for_programs_too() {
    let mut without = BTreeSet::new();
    for (name, _, operation) in operations(&document()) {
        let words: Vec<&str> = operation["description"].as_str().unwrap().split_whitespace().collect();
        let words = words.join(" ");
        let told = words.contains("eeds the right") || words.contains("the platform right");
        let right = operation["x-synkro-right"].as_str();
        assert_eq!(told, right.is_some(), "{name} says in its description and to programs which right it needs");
        if let Some(right) = right {
            let (resource, action) = right.split_once(':').unwrap();
            let is_known = Permission::find(resource, action).is_some() || PlatformPermission::find(right).is_some();
            assert!(is_known, "{name} needs {right}, which there is not");
        } else if operation["security"].is_array() {
            without.insert(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    let expected: BTreeSet<String> = NEEDS_NO_RIGHT.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(without, expected, "an operation that needs no right is listed here");
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "only {} references", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}
