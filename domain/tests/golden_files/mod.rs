//! The golden files: the stored form of every event and version, one file each, in a folder per aggregate.
//!
//! `<EventName>.v<version>.json` shows the event as it usually is. Where an event comes in forms that differ in their
//! fields, each further form has a file of its own: `<EventName>.v<version>.<form>.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A stored event.
pub(crate) struct Golden {
    pub(crate) aggregate: String,
    pub(crate) event: String,
    pub(crate) version: String,
    /// Which of several forms; none for the usual one.
    pub(crate) form: Option<String>,
    pub(crate) text: String,
}

impl Golden {
    /// Its path below the folder of golden files.
    pub(crate) fn path(&self) -> String {
        let form = self.form.as_ref().map(|form| format!(".{form}")).unwrap_or_default();
        format!("{}/{}.v{}{form}.json", self.aggregate, self.event, self.version)
    }

    /// Whether it is a form of this event in this version.
    pub(crate) fn is_of(&self, aggregate: &str, event: &str, version: &str) -> bool {
        self.aggregate == aggregate && self.event == event && self.version == version
    }
}

/// All golden files; of one event the usual form comes first, then the others by name.
pub(crate) fn all() -> Vec<Golden> {
    let folders: BTreeSet<PathBuf> = entries(&folder()).into_iter().collect();
    let mut found: Vec<Golden> = folders.iter().flat_map(|folder| entries(folder)).map(|path| read(&path)).collect();
    found.sort_by_key(|golden| {
        (golden.aggregate.clone(), golden.event.clone(), golden.version.clone(), golden.form.clone())
    });
    found
}

/// Where the golden files lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Whether the person who runs the tests asked for files to be written.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration; the wish to write files comes by variable")]
pub(crate) fn asked_for(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a folder can be listed to its end").path()).collect()
}

fn read(path: &Path) -> Golden {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let aggregate = path.parent().and_then(Path::file_name).expect("a golden file lies in its aggregate's folder");
    let name = path.file_name().expect("a file has a name").to_string_lossy();
    let parts: Vec<&str> = name.split('.').collect();
    let (event, version, form) = match parts[..] {
        [event, version, "json"] => (event, version, None),
        [event, version, form, "json"] => (event, version, Some(form.to_owned())),
        _ => {
            panic!("{} is not named <EventName>.v<version>.json or <EventName>.v<version>.<form>.json", path.display())
        }
    };
    let version = version.strip_prefix('v').unwrap_or_else(|| panic!("{}: the version begins with v", path.display()));
    Golden {
        aggregate: aggregate.to_string_lossy().into_owned(),
        event: event.to_owned(),
        version: version.to_owned(),
        form,
        text,
    }
}
