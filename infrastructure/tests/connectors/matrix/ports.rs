//! No method of a port goes without its row.

use std::collections::BTreeSet;
use std::path::Path;

use simulator::Service;

use super::calls::CALLS;

/// Who serves which port.
const PROVIDERS: [(&str, &[Service]); 5] = [
    ("Crm", &[Service::Amocrm]),
    ("Conversations", &[Service::Radist]),
    ("TenantStorage", &[Service::Supabase]),
    ("Analyst", &[Service::Gemini, Service::Openai]),
    ("Notifier", &[Service::Telegram]),
];

/// The ports to outside services, as the application's source has them: trait and method that asks a service:
/// an asynchronous one, or one that gives pages.
fn methods(source: &str) -> BTreeSet<(String, String)> {
    let name =
        |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let (mut port, mut found) = (None, BTreeSet::new());
    for line in source.lines() {
        if let Some(declared) = line.strip_prefix("pub trait ") {
            port = Some(name(declared));
        } else if line == "}" {
            port = None;
        } else if let (Some(port), Some(method)) = (&port, asking(line.trim_start())) {
            found.insert((port.clone(), name(method)));
        }
    }
    found
}

/// What stands behind `fn` where the line declares such a method.
fn asking(line: &str) -> Option<&str> {
    line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ").filter(|rest| rest.contains("-> Pages<")))
}

/// The file of the ports, and those below it.
fn source() -> String {
    let ports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../application/src/ports");
    let below = std::fs::read_dir(ports.join("services")).into_iter().flatten();
    let files = below.map(|entry| entry.unwrap().path()).chain([ports.join("services.rs")]);
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Methods without a row, each with the provider that has none.
fn missing(methods: &BTreeSet<(String, String)>) -> Vec<String> {
    let has_row = |service: Service, port: &str, method: &str| {
        CALLS.iter().any(|call| call.at.is_none() && call.method() == (service, port, method))
    };
    let mut missing = Vec::new();
    for (port, method) in methods {
        match PROVIDERS.iter().find(|(name, _)| name == port) {
            None => missing.push(format!("{port}: say in PROVIDERS who serves it")),
            Some((_, services)) => missing.extend(
                services
                    .iter()
                    .filter(|service| !has_row(**service, port, method))
                    .map(|service| format!("{port}::{method} at {}: add it to CALLS", service.name())),
            ),
        }
    }
    missing
}

#[test]
fn every_method_of_every_port_is_in_the_matrix() {
    let methods = methods(&source());
    assert_eq!(missing(&methods), Vec::<String>::new());
    let rows: BTreeSet<_> = CALLS.iter().map(|call| (call.port.to_owned(), call.method.to_owned())).collect();
    assert_eq!(rows, methods, "the matrix has rows of methods that are gone");
}

#[test]
fn a_method_without_a_row_is_found() {
    let new = "pub trait Crm: Send + Sync {\n    async fn users(&self);\n    fn tasks(&self) -> Pages<'_, Task>;\n}\npub trait Calendar {\n    async fn days(&self);\n}";
    let told = missing(&methods(new));
    let without = |method: &str| format!("Crm::{method} at amocrm: add it to CALLS");
    assert_eq!(told, ["Calendar: say in PROVIDERS who serves it".into(), without("tasks"), without("users")]);
}
