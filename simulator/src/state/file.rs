//! A file of JSON records, one a line, that is only ever appended to.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};

/// Why the kept state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: record {record} cannot be read ({reason}); remove the state directory to start anew", path.display())]
    Corrupt { path: PathBuf, record: usize, reason: String },
}

impl StateError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }
}

/// Each record is one `write`, so a killed process leaves at most its last, never acknowledged record incomplete.
pub(crate) struct AppendFile {
    end: Mutex<End>,
}

struct End {
    file: File,
    /// Where the last complete record ends.
    length: u64,
}

impl AppendFile {
    /// Opens or creates the file and reads its records. An incomplete last line is cut off.
    pub(crate) fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<T>), StateError> {
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(StateError::io(path))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(StateError::io(path))?;
        let complete = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if complete < content.len() {
            file.set_len(complete as u64).map_err(StateError::io(path))?;
        }
        let mut records = Vec::new();
        for (index, line) in content[..complete].split_inclusive(|byte| *byte == b'\n').enumerate() {
            let record = serde_json::from_slice(line).map_err(|error| StateError::Corrupt {
                path: path.to_path_buf(),
                record: index + 1,
                reason: error.to_string(),
            })?;
            records.push(record);
        }
        Ok((Self { end: Mutex::new(End { file, length: complete as u64 }) }, records))
    }

    /// Appends one record. When it fails, the file is as before.
    pub(crate) fn append<T: Serialize>(&self, record: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = end.file.write_all(&line) {
            end.file.set_len(end.length)?;
            return Err(error);
        }
        end.length += line.len() as u64;
        Ok(())
    }

    /// Forgets all records.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.file.set_len(0)?;
        end.length = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_and_a_torn_last_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.ndjson");
        let (file, records) = AppendFile::open::<u32>(&path).unwrap();
        assert!(records.is_empty());
        file.append(&1).unwrap();
        file.append(&2).unwrap();
        drop(file);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"3").unwrap();

        let (file, records) = AppendFile::open::<u32>(&path).unwrap();
        assert_eq!(records, [1, 2]);
        file.append(&4).unwrap();
        assert_eq!(AppendFile::open::<u32>(&path).unwrap().1, [1, 2, 4]);
    }

    #[test]
    fn a_broken_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records.ndjson");
        std::fs::write(&path, "1\nx\n").unwrap();
        let error = AppendFile::open::<u32>(&path).err().unwrap();
        assert!(matches!(error, StateError::Corrupt { record: 2, .. }), "{error}");
    }
}
