//! Where the token keys lie, and what each of them is for. The file names and the clock say it all, so that every process
//! comes to the same.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use super::token_key::{TokenError, TokenKey};
use super::tokens::LIFETIME;
use crate::files::write_private;

/// How a file's name says from when its key signs.
const NAME: &str = "%Y%m%dT%H%M%SZ";

/// How long a new key is published before it signs: longer than processes take to read the folder again, and than others
/// may keep the published keys.
const NOTICE: TimeDelta = TimeDelta::minutes(2);

/// How much longer than a token lives a key verifies after it signed last.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// A folder of keys, or the file of the only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles(PathBuf);

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Its id.
    pub key_id: String,
    /// From when it signs.
    pub signs_from: DateTime<Utc>,
    /// What it is for now.
    pub state: KeyState,
    path: PathBuf,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is published, and will sign.
    Next,
    /// It signs new tokens.
    Signing,
    /// It verifies tokens that it signed, until then.
    Verifying {
        /// When the last of them has ended.
        until: DateTime<Utc>,
    },
    /// Nothing that it signed is valid any more.
    Done,
}

/// The bytes of all keys as they were read together.
pub(super) struct KeyTexts {
    texts: Vec<(PathBuf, DateTime<Utc>, Zeroizing<String>)>,
}

impl KeyTexts {
    /// Differs where any key or name does.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let mut all = Zeroizing::new(Vec::new());
        for (path, _, text) in &self.texts {
            all.extend_from_slice(path.as_os_str().as_encoded_bytes());
            all.extend_from_slice(text.as_bytes());
        }
        digest(&SHA256, &all).as_ref().to_vec()
    }

    /// The keys, each with the time from which it signs, oldest first.
    pub(super) fn parse(&self) -> Result<Vec<(DateTime<Utc>, TokenKey)>, TokenError> {
        self.texts.iter().map(|(_, from, text)| Ok((*from, TokenKey::from_pem(text)?))).collect()
    }
}

impl KeyFiles {
    /// The keys of a folder, or the one of a file.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes a first key where the folder has none, or is missing.
    pub fn or_create(self, now: DateTime<Utc>) -> Result<Self, TokenError> {
        let empty = match fs::metadata(&self.0) {
            Ok(found) if found.is_file() => false,
            Ok(_) => self.read()?.texts.is_empty(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(TokenError::file(&self.0, error)),
        };
        if empty {
            write_key(&self.0, now)?;
        }
        Ok(self)
    }

    /// Reads all keys, oldest first.
    pub(super) fn read(&self) -> Result<KeyTexts, TokenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| TokenError::file(&path, error)
        };
        let text = |path: &Path| fs::read_to_string(path).map(Zeroizing::new).map_err(failed(path));
        if self.0.is_file() {
            return Ok(KeyTexts { texts: vec![(self.0.clone(), DateTime::UNIX_EPOCH, text(&self.0)?)] });
        }
        let mut texts = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failed(&self.0))? {
            let path = entry.map_err(failed(&self.0))?.path();
            if path.extension().is_some_and(|extension| extension == "pem") {
                texts.push((path.clone(), named_time(&path)?, text(&path)?));
            }
        }
        texts.sort_by_key(|(_, from, _)| *from);
        Ok(KeyTexts { texts })
    }

    /// All keys, oldest first, with what each is for.
    pub fn list(&self, now: DateTime<Utc>) -> Result<Vec<KeyFile>, TokenError> {
        let texts = self.read()?;
        let keys = texts.parse()?;
        let times: Vec<_> = keys.iter().map(|(from, _)| *from).collect();
        let files = texts.texts.iter().zip(&keys).enumerate();
        let file = |(index, ((path, signs_from, _), (_, key))): (usize, (&(PathBuf, _, _), &(_, TokenKey)))| KeyFile {
            key_id: key.public.key_id.clone(),
            signs_from: *signs_from,
            state: state(&times, index, now),
            path: path.clone(),
        };
        Ok(files.map(file).collect())
    }

    /// Makes the next key, in the folder or in another one. It signs after a notice, or at once.
    ///
    /// # Errors
    /// [`TokenError::Single`] where the keys are one file.
    pub fn rotate(&self, into: Option<&Path>, now: DateTime<Utc>, at_once: bool) -> Result<PathBuf, TokenError> {
        let folder = into.unwrap_or(&self.0);
        if folder.is_file() {
            return Err(TokenError::Single { path: folder.display().to_string() });
        }
        write_key(folder, if at_once { now } else { now + NOTICE })
    }

    /// Takes a key away. Its tokens are refused by every process that has read the folder again.
    ///
    /// # Errors
    /// [`TokenError::Unknown`] and, unless `at_once`, [`TokenError::InUse`]. The only key stays in any case.
    pub fn retire(&self, key_id: &str, now: DateTime<Utc>, at_once: bool) -> Result<KeyFile, TokenError> {
        let keys = self.list(now)?;
        let unknown = || TokenError::Unknown { key_id: key_id.to_owned() };
        let key = keys.iter().find(|key| key.key_id == key_id).ok_or_else(unknown)?;
        let why = match key.state {
            KeyState::Signing => Some("signs new tokens; rotate first"),
            KeyState::Verifying { .. } => Some("still verifies tokens that are valid"),
            KeyState::Next | KeyState::Done => None,
        };
        let successor = keys.iter().any(|other| other.key_id != key_id && other.state != KeyState::Done);
        if let Some(why) = why.filter(|_| !at_once || !successor) {
            return Err(TokenError::InUse { key_id: key_id.to_owned(), why });
        }
        fs::remove_file(&key.path).map_err(|error| TokenError::file(&key.path, error))?;
        Ok(key.clone())
    }
}

/// What the key at `index` is for, where the keys sign from these times.
pub(super) fn state(times: &[DateTime<Utc>], index: usize, now: DateTime<Utc>) -> KeyState {
    // Where all are to sign in the future the first one begins early: tokens must be signed.
    let signing = times.iter().rposition(|from| *from <= now).unwrap_or(0);
    if index > signing {
        return KeyState::Next;
    }
    if index == signing {
        return KeyState::Signing;
    }
    let until = times[index + 1] + LIFETIME + MARGIN;
    if now < until { KeyState::Verifying { until } } else { KeyState::Done }
}

fn write_key(folder: &Path, signs_from: DateTime<Utc>) -> Result<PathBuf, TokenError> {
    let path = folder.join(format!("{}.pem", signs_from.format(NAME)));
    if path.exists() {
        return Err(TokenError::file(&path, ErrorKind::AlreadyExists.into()));
    }
    write_private(&path, TokenKey::generate()?.as_bytes()).map_err(|error| TokenError::file(&path, error))?;
    Ok(path)
}

fn named_time(path: &Path) -> Result<DateTime<Utc>, TokenError> {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let time = NaiveDateTime::parse_from_str(&name, NAME).map(|time| time.and_utc());
    time.map_err(|_| TokenError::Name { path: path.display().to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-06-01T09:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    fn states(files: &KeyFiles, minute: i64) -> Vec<KeyState> {
        files.list(at(minute)).unwrap().into_iter().map(|key| key.state).collect()
    }

    #[test]
    fn a_new_key_is_published_first_and_the_old_one_outlives_its_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let files = KeyFiles::at(&folder.path().join("jwt")).or_create(at(0)).unwrap();
        assert_eq!(states(&files, 0), [KeyState::Signing]);
        files.rotate(None, at(60), false).unwrap();
        assert_eq!(states(&files, 61), [KeyState::Signing, KeyState::Next]);
        let until = at(77);
        assert_eq!(states(&files, 62), [KeyState::Verifying { until }, KeyState::Signing]);
        assert_eq!(states(&files, 76), [KeyState::Verifying { until }, KeyState::Signing]);
        assert_eq!(states(&files, 77), [KeyState::Done, KeyState::Signing]);
    }

    #[test]
    fn a_key_in_use_is_taken_away_only_where_someone_insists() {
        let folder = tempfile::tempdir().unwrap();
        let files = KeyFiles::at(folder.path()).or_create(at(0)).unwrap();
        let first = files.list(at(0)).unwrap().remove(0).key_id;
        assert!(matches!(files.retire(&first, at(1), true), Err(TokenError::InUse { .. })), "it is the only one");
        files.rotate(None, at(1), true).unwrap();
        assert!(matches!(files.retire(&first, at(2), false), Err(TokenError::InUse { .. })));
        assert!(matches!(files.retire("abc", at(2), true), Err(TokenError::Unknown { .. })));
        files.retire(&first, at(2), true).unwrap();
        assert_eq!(states(&files, 2), [KeyState::Signing]);
    }

    #[test]
    fn a_single_file_has_no_room_for_a_second_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mounted.pem");
        fs::write(&path, TokenKey::generate().unwrap().as_bytes()).unwrap();
        let files = KeyFiles::at(&path).or_create(at(0)).unwrap();
        assert_eq!(states(&files, 0), [KeyState::Signing]);
        assert!(matches!(files.rotate(None, at(1), false), Err(TokenError::Single { .. })));
        let next = files.rotate(Some(&folder.path().join("next")), at(1), false).unwrap();
        assert!(next.ends_with("next/20260601T090300Z.pem"), "{next:?}");
    }

    #[test]
    fn a_name_that_is_no_time_is_refused_and_other_files_are_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let files = KeyFiles::at(folder.path()).or_create(at(0)).unwrap();
        fs::write(folder.path().join("readme.txt"), "keys").unwrap();
        assert_eq!(states(&files, 0).len(), 1);
        fs::write(folder.path().join("mine.pem"), "").unwrap();
        assert!(matches!(files.list(at(0)), Err(TokenError::Name { .. })));
    }
}
