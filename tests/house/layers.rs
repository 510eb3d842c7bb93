//! Dependencies point inward: `api` and `infrastructure` use `application`, which uses `domain`, which uses no layer.

use crate::{assert_none, assert_one, repository};
use serde_json::{Value, json};

/// What a package of the workspace may depend on.
struct Layer {
    name: &'static str,
    own: &'static [&'static str],
    outside: Outside,
}

/// Which libraries from outside a layer may use.
enum Outside {
    /// The rules of the business use little, so that they stay pure, in their tests too.
    Only(&'static [&'static str]),
    /// An adapter uses what it adapts, except what belongs to another one. Tests may use anything.
    Except(&'static [&'static str]),
}

const LAYERS: [Layer; 9] = [
    Layer { name: "domain", own: &[], outside: Outside::Only(DOMAIN_USES) },
    Layer { name: "application", own: &["domain"], outside: Outside::Only(APPLICATION_USES) },
    Layer {
        name: "infrastructure",
        own: &["application", "domain", "migrations"],
        outside: Outside::Except(&["poem", "poem-openapi"]),
    },
    Layer { name: "api", own: &["application", "domain"], outside: Outside::Except(STORAGE_AND_CLIENTS) },
    Layer { name: "migrations", own: &[], outside: Outside::Except(&["poem", "poem-openapi", "reqwest"]) },
    Layer { name: "simulator", own: &[], outside: Outside::Except(STORAGE_AND_CLIENTS) },
    Layer {
        name: "bench",
        own: &["api", "application", "domain", "infrastructure", "synkro"],
        outside: Outside::Except(&["poem-openapi", "reqwest"]),
    },
    Layer { name: "testkit", own: EVERY_PACKAGE, outside: Outside::Except(&[]) },
    Layer { name: "synkro", own: EVERY_PACKAGE, outside: Outside::Except(&[]) },
];

const EVERY_PACKAGE: &[&str] =
    &["domain", "application", "infrastructure", "api", "migrations", "simulator", "testkit", "synkro"];

/// Packages of ours that the tests of every layer may use on top.
const TEST_SUPPORT: [&str; 2] = ["testkit", "simulator"];

const DOMAIN_USES: &[&str] = &["chrono", "chrono-tz", "cqrs-es", "serde", "serde_json", "thiserror", "url", "uuid"];

const APPLICATION_USES: &[&str] = &[
    "async-trait",
    "chrono",
    "chrono-tz",
    "futures",
    "jsonschema",
    "secrecy",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio-util",
    "tracing",
    "uuid",
    "whatlang",
];

const STORAGE_AND_CLIENTS: &[&str] =
    &["pglite-oxide", "postgres-es", "redis", "reqwest", "sea-orm", "sea-orm-migration", "sqlx"];

/// The faults of all packages in the output of `cargo metadata`.
fn faults(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    packages.iter().flat_map(faults_of_package).collect()
}

fn faults_of_package(package: &Value) -> Vec<String> {
    let name = text(package, "name");
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!("package `{name}` belongs to no layer; describe it in LAYERS in tests/house/layers.rs")];
    };
    let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
    dependencies.iter().filter_map(|dependency| fault_of_dependency(layer, dependency)).collect()
}

fn fault_of_dependency(layer: &Layer, dependency: &Value) -> Option<String> {
    let (name, used) = (layer.name, text(dependency, "name"));
    let only_for_tests = dependency["kind"] == "dev";
    let ours = !dependency["path"].is_null();
    if ours && !may_use_own(layer, used, only_for_tests) {
        return Some(format!(
            "`{name}` depends on `{used}`, but dependencies point inward: {name} may use {:?} of ours. Describe what it \
             needs as a port in `application`, implement it where it is now, and join the two in src/wire.rs",
            layer.own
        ));
    }
    if !ours && !may_use_outside(layer, used, only_for_tests) {
        return Some(format!(
            "`{name}` depends on the library `{used}`, which this layer does not use. Put the code that needs it into \
             an adapter behind a port; if the layer itself should change, record why in docs/adr and change LAYERS in \
             tests/house/layers.rs"
        ));
    }
    None
}

fn may_use_own(layer: &Layer, used: &str, only_for_tests: bool) -> bool {
    layer.own.contains(&used) || (only_for_tests && TEST_SUPPORT.contains(&used))
}

fn may_use_outside(layer: &Layer, used: &str, only_for_tests: bool) -> bool {
    match layer.outside {
        Outside::Only(libraries) => libraries.contains(&used),
        Outside::Except(forbidden) => only_for_tests || !forbidden.contains(&used),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().expect("a package and a dependency have a name")
}

#[test]
fn dependencies_point_inward() {
    assert_none(&faults(&repository::metadata()));
}

#[test]
fn every_layer_exists() {
    let metadata = repository::metadata();
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    for layer in LAYERS {
        assert!(
            packages.iter().any(|package| package["name"] == layer.name),
            "LAYERS names `{}`: remove it",
            layer.name
        );
    }
}

fn package_with(name: &str, dependency: &Value) -> Value {
    json!({"packages": [{"name": name, "dependencies": [dependency]}]})
}

fn own(name: &str, kind: &Value) -> Value {
    json!({"name": name, "path": format!("/repository/{name}"), "kind": kind})
}

fn library(name: &str, kind: &Value) -> Value {
    json!({"name": name, "path": null, "kind": kind})
}

#[test]
fn a_forbidden_edge_between_our_packages_is_found() {
    let outward = package_with("api", &own("infrastructure", &Value::Null));
    assert_one(&faults(&outward), &["`api`", "`infrastructure`", "wire.rs"]);
    assert_none(&faults(&package_with("api", &own("application", &Value::Null))));
}

#[test]
fn test_support_is_for_tests_only() {
    assert_one(&faults(&package_with("application", &own("testkit", &Value::Null))), &["`testkit`"]);
    assert_none(&faults(&package_with("application", &own("testkit", &json!("dev")))));
    assert_one(&faults(&package_with("domain", &own("infrastructure", &json!("dev")))), &["`infrastructure`"]);
}

#[test]
fn a_library_that_a_layer_does_not_use_is_found() {
    for (layer, forbidden) in
        [("domain", "tokio"), ("application", "sqlx"), ("api", "reqwest"), ("infrastructure", "poem")]
    {
        assert_one(&faults(&package_with(layer, &library(forbidden, &Value::Null))), &[layer, forbidden, "docs/adr"]);
    }
    assert_one(&faults(&package_with("domain", &library("reqwest", &json!("dev")))), &["reqwest"]);
    assert_one(&faults(&package_with("api", &library("sqlx", &json!("build")))), &["sqlx"]);
    assert_none(&faults(&package_with("domain", &library("chrono", &json!("dev")))));
    assert_none(&faults(&package_with("api", &library("reqwest", &json!("dev")))));
}

#[test]
fn a_package_without_a_layer_is_found() {
    assert_one(&faults(&package_with("surprise", &library("serde", &Value::Null))), &["`surprise`", "LAYERS"]);
}
