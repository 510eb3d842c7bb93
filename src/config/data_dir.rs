//! The data folder: what this installation keeps on the machine, and the proof that no other process uses it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use infrastructure::files::write_private;
use uuid::Uuid;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made, read or written.
    #[error(
        "the data folder {path} cannot be used; check that it can be written, or choose another with --data-dir (of \
         `simulate`: --state-dir)"
    )]
    File {
        /// The folder.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process holds it.
    #[error(
        "another synkro process uses the data folder {path}; stop it, or choose another folder with --data-dir (of \
         `simulate`: --state-dir)"
    )]
    InUse {
        /// The folder.
        path: String,
    },
}

/// A data folder that this process holds.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// The place that a process runs in. Whoever holds it next knows that this process is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(pub String);

impl DataDir {
    /// Makes the folder where it is missing, readable by its owner only, and takes it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::File { path: path.display().to_string(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.display().to_string() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Removes files and folders of these names, where they are there. Nothing else in the folder is touched.
    pub fn remove(&self, names: &[&str]) -> Result<(), DataDirError> {
        for name in names {
            let path = self.file(name);
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.failed(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// A file or folder in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The place's name: made once, kept in the folder.
    #[expect(clippy::disallowed_methods, reason = "the name must differ between machines; nothing is replayed from it")]
    pub fn instance(&self) -> Result<Instance, DataDirError> {
        let file = self.file("instance");
        if let Some(name) = self.read("instance")? {
            return Ok(Instance(name));
        }
        let name = Uuid::new_v4().to_string();
        write_private(&file, name.as_bytes()).map_err(|source| self.failed(source))?;
        Ok(Instance(name))
    }

    /// A small file's text; none where it is missing.
    pub fn read(&self, name: &str) -> Result<Option<String>, DataDirError> {
        let mut text = String::new();
        match File::open(self.file(name)).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// Writes a small file, readable by its owner only, whole or not at all.
    pub fn write(&self, name: &str, text: &str) -> Result<(), DataDirError> {
        write_private(&self.file(name), text.as_bytes()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> DataDirError {
        DataDirError::File { path: self.path.display().to_string(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_and_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataDir::open(&path).unwrap();
        let name = first.instance().unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::InUse { .. })));
        drop(first);
        assert_eq!(DataDir::open(&path).unwrap().instance().unwrap(), name);
    }

    #[test]
    fn removing_touches_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        data.write("demo.json", "{}").unwrap();
        data.write("mine.txt", "mine").unwrap();
        std::fs::create_dir(data.file("postgres")).unwrap();
        data.remove(&["demo.json", "postgres", "services"]).unwrap();
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["lock", "mine.txt"]);
    }
}
