//! `.env.example` lists every variable that the program or `compose.yaml` reads, and no other.

use crate::{assert_none, assert_one, repository};
use std::collections::BTreeSet;

/// Begins the part of `.env.example` that is about `compose.yaml` alone.
const COMPOSE_ONLY: &str = "# --- compose.yaml only";

/// What differs between the example and the variables that the code and the compose file read.
fn faults(example: &str, code: &[String], compose: &str) -> Vec<String> {
    let (program, compose_only) = example.split_once(COMPOSE_ONLY).unwrap_or((example, ""));
    let (listed, listed_for_compose) = (listed(program), listed(compose_only));
    let read: BTreeSet<&str> = code.iter().flat_map(|text| read_by_program(text)).collect();
    let filled_in = filled_in(compose);
    let mut faults = Vec::new();
    let missing = read.difference(&listed);
    faults.extend(missing.map(|name| format!("{name} is read by the program: describe it in .env.example")));
    let unread = listed.difference(&read);
    faults.extend(unread.map(|name| format!(".env.example: the program does not read {name}: remove it")));
    let missing = filled_in.iter().filter(|name| !listed.contains(*name) && !listed_for_compose.contains(*name));
    faults.extend(missing.map(|name| format!("{name} is read by compose.yaml: describe it in .env.example")));
    let unread = listed_for_compose.difference(&filled_in);
    faults.extend(unread.map(|name| format!(".env.example: compose.yaml does not read {name}: remove it")));
    faults
}

/// Variables of the example, whose lines are commented out or not.
fn listed(example: &str) -> BTreeSet<&str> {
    let names = example.lines().filter_map(|line| line.trim_start_matches('#').split_once('=')).map(|(name, _)| name);
    names.filter(|name| is_variable(name)).collect()
}

/// Variables that clap reads: `env = "NAME"`.
fn read_by_program(code: &str) -> impl Iterator<Item = &str> {
    code.split("env = \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name)
}

/// Variables that compose fills in: `${NAME}`, `${NAME:-default}`, `${NAME:?reason}`.
fn filled_in(compose: &str) -> BTreeSet<&str> {
    let names = compose.split("${").skip(1).filter_map(|rest| rest.split([':', '}']).next());
    names.filter(|name| is_variable(name)).collect()
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_uppercase() || letter == b'_')
}

#[test]
fn the_example_lists_every_variable_and_no_other() {
    let code: Vec<String> = repository::files("src", ".rs").iter().map(|path| repository::read(path)).collect();
    let example = repository::read(".env.example");
    assert!(example.contains(COMPOSE_ONLY), "the part about compose.yaml has another heading now");
    assert!(code.iter().any(|text| read_by_program(text).next().is_some()), "the search for variables finds none");
    assert_none(&faults(&example, &code, &repository::read("compose.yaml")));
}

#[test]
fn what_the_example_lacks_or_has_too_many_is_found() {
    let code = ["#[arg(long, env = \"DATABASE_URL\")] #[arg(env = \"SYNKRO_LOG\")]".to_owned()];
    let compose = "SYNKRO_LOG: ${SYNKRO_LOG:-info}\nfile: ${SYNKRO_SECRET:?name it}\n";
    let good = "# About = signs.\n#DATABASE_URL=a\nSYNKRO_LOG=b\n# --- compose.yaml only.\n#SYNKRO_SECRET=c\n";
    assert_none(&faults(good, &code, compose));
    assert_one(&faults(&good.replace("SYNKRO_LOG=b", ""), &code, "${SYNKRO_SECRET}"), &["SYNKRO_LOG", "program"]);
    assert_one(&faults(&good.replace("#SYNKRO_SECRET=c", ""), &code, compose), &["SYNKRO_SECRET", "compose.yaml"]);
    assert_one(&faults(&format!("#REDIS_URL=d\n{good}"), &code, compose), &["REDIS_URL", "remove"]);
    assert_one(&faults(&format!("{good}#SYNKRO_PORT=d\n"), &code, compose), &["SYNKRO_PORT", "compose.yaml"]);
}
