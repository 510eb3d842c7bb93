//! Documents point at things that exist: every relative link, and every path between back-ticks.

use crate::{assert_none, assert_one, repository};
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 3] = ["README.md", "CHANGELOG.md", "simulator/data/README.md"];
const FOLDER: &str = "docs";

/// Words with a slash that begin like a folder of ours and are something else.
const MEDIA_TYPES: [&str; 4] =
    ["application/json", "application/octet-stream", "application/pdf", "application/x-www-form-urlencoded"];

/// Folders that exist only once the program has been built or has run.
const MADE_LATER: [&str; 2] = ["target", ".synkro"];

/// A path that ends so is a file of ours, even if its folder is gone.
const OUR_ENDINGS: [&str; 6] = [".rs", ".md", ".toml", ".sql", ".yaml", ".sh"];

/// The dead links and paths of one document, whose own path is relative to `root`.
fn faults(root: &Path, document: &str) -> Vec<String> {
    let text = match fs::read_to_string(root.join(document)) {
        Ok(text) => text,
        Err(error) => return vec![format!("{document} cannot be read: {error}")],
    };
    let mut faults = Vec::new();
    for (number, line) in prose(&text) {
        let dead_links = links(line).into_iter().filter(|target| !link_holds(root, document, target));
        faults.extend(
            dead_links.map(|target| format!("{document}:{number}: the link to {target} leads nowhere; correct it")),
        );
        let dead_paths =
            quoted(line).into_iter().filter(|path| is_path(root, path) && !path_exists(root, document, path));
        faults.extend(
            dead_paths.map(|path| format!("{document}:{number}: `{path}` does not exist; name what took its place")),
        );
    }
    faults
}

/// The numbered lines outside fenced blocks: what stands in a fence is an example, not a reference.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// Targets of the links on a line: `[text](target "title")` and `[name]: target`.
fn links(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    let targets = inline.chain(definition).filter_map(|target| target.split_whitespace().next());
    targets.map(|target| target.trim_matches(['<', '>'])).collect()
}

fn link_holds(root: &Path, document: &str, target: &str) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() || path.starts_with("mailto:") || path.contains("://") {
        return true;
    }
    match path.strip_prefix('/') {
        Some(from_root) => lies_within(root, &root.join(from_root)),
        None => lies_within(root, &folder_of(root, document).join(path)),
    }
}

/// The first word of each piece between single back-ticks, without the line number that may follow it.
fn quoted(line: &str) -> Vec<&str> {
    let pieces = line.split('`').skip(1).step_by(2).filter(|piece| !piece.contains("://"));
    pieces.filter_map(|piece| piece.split([' ', ':']).next()).collect()
}

fn is_path(root: &Path, word: &str) -> bool {
    let plain = word.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-/*{},<>".contains(letter));
    let Some((first, rest)) = word.split_once('/') else { return false };
    if !plain || first.is_empty() || MADE_LATER.contains(&first) || MEDIA_TYPES.contains(&word) {
        return false;
    }
    let ending = OUR_ENDINGS.iter().any(|ending| rest.ends_with(ending));
    ending || [".", ".."].contains(&first) || root.join(first).is_dir()
}

/// Of a pattern such as `domain/src/*/tests.rs` the folder before its first variable part must exist.
fn path_exists(root: &Path, document: &str, path: &str) -> bool {
    let fixed: Vec<&str> = path.split('/').take_while(|part| !part.contains(['*', '{', '<'])).collect();
    let fixed = fixed.join("/");
    lies_within(root, &root.join(&fixed)) || lies_within(root, &folder_of(root, document).join(&fixed))
}

fn folder_of(root: &Path, document: &str) -> PathBuf {
    root.join(document).parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf)
}

/// True when the path exists and does not lead out of the repository.
fn lies_within(root: &Path, path: &Path) -> bool {
    match (root.canonicalize(), path.canonicalize()) {
        (Ok(root), Ok(path)) => path.starts_with(root),
        _ => false,
    }
}

#[test]
fn documents_point_at_things_that_exist() {
    let all = DOCUMENTS.into_iter().map(str::to_owned).chain(repository::files(FOLDER, ".md"));
    assert_none(&all.flat_map(|document| faults(repository::root(), &document)).collect::<Vec<_>>());
}

/// The faults of a document `docs/page.md` in a repository that also holds `docs/other.md` and `domain/src/lib.rs`.
fn faults_of(text: &str) -> Vec<String> {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    fs::create_dir(root.path().join("application")).expect("a folder can be made");
    for (path, text) in [("docs/other.md", ""), ("domain/src/lib.rs", ""), ("docs/page.md", text)] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    faults(root.path(), "docs/page.md")
}

#[test]
fn a_dead_link_is_found() {
    assert_one(&faults_of("first\nsee [this](missing.md)"), &["docs/page.md:2", "missing.md"]);
    assert_one(&faults_of("[this]: ../domain/missing.rs"), &["../domain/missing.rs"]);
    assert_one(&faults_of("[one](other.md) and [two](/docs/missing.md#part \"title\")"), &["/docs/missing.md#part"]);
}

#[test]
fn a_link_out_of_the_repository_is_found() {
    assert_one(&faults_of("[out](../../../../../../../../etc/passwd)"), &["leads nowhere"]);
}

#[test]
fn a_dead_path_is_found() {
    assert_one(&faults_of("see `domain/src/missing.rs`"), &["docs/page.md:1", "domain/src/missing.rs"]);
    assert_one(&faults_of("run `docs/missing --option`"), &["docs/missing"]);
    assert_one(&faults_of("each `domain/gone/*/mod.rs`"), &["domain/gone/*/mod.rs"]);
    assert_one(&faults_of("the late `crates/a/lib.rs:12`"), &["crates/a/lib.rs"]);
}

#[test]
fn what_exists_is_left_alone() {
    assert_none(&faults_of(
        "[a](other.md) [b](../domain/src/lib.rs#L3) [c](#part) [d](https://example.org/x) [e](/docs)",
    ));
    assert_none(&faults_of("`domain/src/lib.rs:3`, `docs/`, `other.md`, `domain/src/*/tests.rs`, `./other.md`"));
}

#[test]
fn what_only_resembles_a_path_is_left_alone() {
    assert_none(&faults_of("`/api/v1/users`, `application/json`, `resource/action`, `postgres://a/b`, `.synkro/keys`"));
    assert_none(&faults_of("```\n`domain/src/missing.rs` and [a](missing.md)\n```"));
}

#[test]
fn a_missing_document_is_found() {
    assert_one(&faults(Path::new("/nowhere"), "README.md"), &["README.md", "cannot be read"]);
}
