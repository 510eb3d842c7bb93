//! Names the sources by which read models are made from the log, so that a rebuild does not go on with what other
//! sources have begun.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// What the rows of a read model depend on: the writers, the events that they read, and the crates that both use.
const SOURCES: [&str; 5] = ["src/read_models", "src/projections", "src/event_store", "../domain/src", "../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(Path::new(source), &mut files)?;
        println!("cargo::rerun-if-changed={source}");
    }
    files.sort();
    // It has the same keys in every build.
    let mut digest = DefaultHasher::new();
    for file in files {
        (&file, fs::read(&file)?).hash(&mut digest);
    }
    println!("cargo::rustc-env=PROJECTION_SOURCES={:016x}", digest.finish());
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    fs::read_dir(path)?.try_for_each(|entry| collect(&entry?.path(), files))
}
