//! The repository as the rules see it: files with paths relative to its root, and cargo's view of its packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// Folders that hold nothing written by people, or nothing of ours.
const NOT_OURS: [&str; 4] = [".git", ".synkro", "node_modules", "target"];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// All files below a folder of the repository whose name ends with `suffix`, relative to the root, in alphabetical
/// order. A folder that does not exist holds none.
pub(crate) fn files(folder: &str, suffix: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), suffix, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, suffix: &str, found: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => panic!("cannot list {}: {error}", folder.display()),
    };
    for entry in entries {
        let entry = entry.expect("a folder can be listed to its end");
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().expect("an entry has a type");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            collect(&path, suffix, found);
        } else if kind.is_file() && name.ends_with(suffix) {
            found.push(relative(&path));
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("files are searched below the root").to_string_lossy().into_owned()
}

/// What `cargo metadata` says of the workspace's own packages; it needs neither network nor a build.
pub(crate) fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// Manifests of all packages of the workspace, relative to the root.
pub(crate) fn manifests() -> Vec<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let path =
        |package: &serde_json::Value| PathBuf::from(package["manifest_path"].as_str().expect("a manifest has a path"));
    packages.iter().map(|package| relative(&path(package))).collect()
}
