//! No provider of the registry goes without its rows.

use std::collections::BTreeSet;
use std::path::Path;

use application::ports::services::Connectors;
use domain::integration::IntegrationKind;

use super::calls::{CALLS, Call};
use super::reviewed;
use crate::world::{World, connectors, quick};

/// A provider that has no rows, and why.
struct Excused {
    kind: IntegrationKind,
    name: &'static str,
    reason: &'static str,
}

const EXCUSED: [Excused; 1] = [Excused {
    kind: IntegrationKind::Ai,
    name: "ollama",
    reason: "it has no stand-in; client and verdicts are those of the OpenAI-compatible one, the rest is in ollama.rs",
}];

/// A provider by its kind and its name.
type Name = (IntegrationKind, String);

/// Providers with neither rows nor an excuse, and excuses that nobody needs.
fn wrong(registered: &BTreeSet<Name>, tested: &BTreeSet<Name>) -> Vec<String> {
    let mut wrong = Vec::new();
    for provider in registered.difference(tested) {
        let is_excused = EXCUSED.iter().any(|it| (it.kind, it.name) == (provider.0, provider.1.as_str()));
        if !is_excused {
            wrong.push(format!("{} has no rows: add it to PROVIDERS and CALLS, or to EXCUSED", provider.1));
        }
    }
    for Excused { kind, name, reason } in EXCUSED {
        let excused = (kind, name.to_owned());
        if tested.contains(&excused) {
            wrong.push(format!("{name} has rows, but is excused: {reason}"));
        } else if !registered.contains(&excused) {
            wrong.push(format!("{name} is excused, but not registered"));
        }
    }
    wrong
}

fn registered() -> BTreeSet<Name> {
    let all = connectors(quick());
    all.providers().iter().map(|provider| (provider.kind, provider.name.to_owned())).collect()
}

/// The providers that calls of the matrix reach.
async fn tested() -> BTreeSet<Name> {
    let world = World::start().await;
    let provider = |call: &Call| {
        let settings = world.settings(call.service);
        (settings.kind(), settings.provider().to_owned())
    };
    CALLS.iter().map(provider).collect()
}

#[tokio::test]
async fn every_provider_of_the_registry_is_in_the_matrix_or_excused() {
    assert_eq!(wrong(&registered(), &tested().await), Vec::<String>::new());
}

#[tokio::test]
async fn a_provider_without_rows_and_an_excuse_without_need_are_found() {
    let (registered, tested) = (registered(), tested().await);
    let new = (IntegrationKind::Amocrm, "bitrix".to_owned());
    let with_new = registered.iter().cloned().chain([new]).collect();
    assert_eq!(wrong(&with_new, &tested), ["bitrix has no rows: add it to PROVIDERS and CALLS, or to EXCUSED"]);
    assert_eq!(wrong(&tested, &tested), ["ollama is excused, but not registered"]);
    let told = wrong(&registered, &registered);
    assert!(told.len() == 1 && told[0].starts_with("ollama has rows"), "{told:?}");
}

/// A provider with rows but without a test that makes them has no table.
#[test]
fn every_provider_of_the_matrix_has_its_reviewed_table() {
    for call in &CALLS {
        let table = reviewed(call.service);
        assert!(Path::new(&table).exists(), "{table} is missing: test the provider in mod.rs with UPDATE_MATRIX=1");
    }
}
