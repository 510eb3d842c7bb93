//! Every library is declared once, in the root manifest, under a comment that says what it is for, and is used by every
//! package that asks for it.

use std::path::Path;

use crate::{assert_none, assert_one, repository};

/// Entries of `[workspace.dependencies]` in groups without a comment; our own packages (with a path) need none.
fn unexplained(manifest: &str) -> Vec<String> {
    let mut in_table = false;
    let mut explained = false;
    let mut faults = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_table = line == "[workspace.dependencies]";
            explained = false;
        } else if line.is_empty() {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if in_table
            && !explained
            && let Some((name, value)) = entry(line)
            && !value.contains("path =")
        {
            faults.push(format!(
                "Cargo.toml: `{name}` has no comment above its group: say what it is for and why this one"
            ));
        }
    }
    faults
}

/// Dependencies of one package that do not take their version from the workspace.
fn declared_apart(path: &str, manifest: &str) -> Vec<String> {
    let mut in_table = false;
    let mut faults = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            in_table = table != "workspace.dependencies" && table.ends_with("dependencies");
            // `[dependencies.name]` spreads one entry over lines; the house writes one line for each.
            if table.contains("dependencies.") {
                faults.push(format!("{path}: write [{table}] as one line with `workspace = true`"));
            }
        } else if in_table
            && let Some((name, value)) = entry(line)
            && !(name.ends_with(".workspace") && value == "true")
            && !value.contains("workspace = true")
        {
            faults.push(format!(
                "{path}: `{name}` is declared apart: put it into [workspace.dependencies] of the root and write `{name}.workspace = true`"
            ));
        }
    }
    faults
}

/// Dependencies of one package, of any kind, that its code never names.
fn unused(path: &str, manifest: &str, code: &[String]) -> Vec<String> {
    let mut in_table = false;
    let mut faults = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            in_table = table != "workspace.dependencies" && table.ends_with("dependencies");
        } else if in_table && let Some((name, _)) = entry(line) {
            let name = name.split('.').next().unwrap_or(name);
            let crate_name = name.replace('-', "_");
            if !code.iter().any(|text| names(text, &crate_name)) {
                faults.push(format!("{path}: `{name}` is named nowhere in the package's code: remove it"));
            }
        }
    }
    faults
}

/// Whether code outside comments begins a path with the crate, as in `url::Url`, or imports it whole.
fn names(code: &str, crate_name: &str) -> bool {
    let lines = code.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let part_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    lines.into_iter().any(|line| {
        line.match_indices(crate_name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + crate_name.len()..]);
            let begins = !before.ends_with(|letter: char| part_of_name(letter) || letter == ':');
            let whole = line.starts_with("use ") && !after.starts_with(part_of_name);
            begins && (after.starts_with("::") || whole)
        })
    })
}

/// The code of the package with this manifest. The root package's lies beside the folders of the others.
fn code_of(manifest: &str) -> Vec<String> {
    let folder = Path::new(manifest).parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let folders = if folder.is_empty() { vec!["src".to_owned(), "tests".to_owned()] } else { vec![folder] };
    let paths = folders.iter().flat_map(|folder| repository::files(folder, ".rs"));
    paths.map(|path| repository::read(&path)).collect()
}

fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    Some((name.trim(), value.trim()))
}

#[test]
fn every_library_says_what_it_is_for() {
    let manifest = repository::read("Cargo.toml");
    assert!(manifest.contains("\n[workspace.dependencies]\n"), "the table of libraries has another name now");
    assert_none(&unexplained(&manifest));
}

#[test]
fn every_package_takes_its_libraries_from_the_workspace() {
    let faults = repository::manifests().into_iter().flat_map(|path| declared_apart(&path, &repository::read(&path)));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn every_package_uses_what_it_asks_for() {
    let faults =
        repository::manifests().into_iter().flat_map(|path| unused(&path, &repository::read(&path), &code_of(&path)));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn a_library_without_a_reason_is_found() {
    let manifest =
        "[workspace.dependencies]\nours = { path = \"ours\" }\n\n# Times.\nchrono = \"0.4\"\nchrono-tz = \"0.10\"\n";
    assert_none(&unexplained(manifest));
    assert_one(&unexplained(&format!("{manifest}\nrand = \"0.9\"\n")), &["`rand`"]);
    assert_one(&unexplained("# About the table.\n[workspace.dependencies]\nrand = \"0.9\"\n"), &["`rand`"]);
    assert_none(&unexplained("[dependencies]\nrand.workspace = true\n"));
}

#[test]
fn a_library_declared_apart_is_found() {
    let good = "[dependencies]\nserde.workspace = true\npg = { workspace = true, optional = true }\n[features]\nx = [\"dep:pg\"]\n";
    assert_none(&declared_apart("api/Cargo.toml", good));
    for bad in [
        "[dependencies]\nrand = \"0.9\"\n",
        "[dev-dependencies]\nrand = { version = \"0.9\" }\n",
        "[target.'cfg(unix)'.dependencies]\nrand.version = \"0.9\"\n",
        "[dependencies.rand]\nversion = \"0.9\"\n",
    ] {
        assert_one(&declared_apart("api/Cargo.toml", bad), &["api/Cargo.toml", "rand"]);
    }
}

#[test]
fn a_library_that_nobody_uses_is_found() {
    let manifest = "[dependencies]\nchrono-tz.workspace = true\n[dev-dependencies]\nurl = { workspace = true }\n";
    let used = |code: &str| unused("api/Cargo.toml", manifest, &["use chrono_tz::Tz;".to_owned(), code.to_owned()]);
    for code in ["use url::Url;", "    fn read(text: url::Url) {}", "use url as address;", "#[url::shown]"] {
        assert_none(&used(code));
    }
    for code in ["", "// use url::Url;", "let url = 1;", "use crate::url::Url;", "use base_url::Url;", "use urls::Url;"]
    {
        assert_one(&used(code), &["api/Cargo.toml", "`url`"]);
    }
    assert_none(&unused("Cargo.toml", "[workspace.dependencies]\nurl = \"2\"\n", &[]));
}
