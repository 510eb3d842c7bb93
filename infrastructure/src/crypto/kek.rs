//! The key-encryption keys: they exist in a mounted file or in the environment, never in the database.

use std::path::Path;

use application::PortError;
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::ids::TenantId;
use zeroize::Zeroizing;

use super::hex;
use super::sealing::{KEY_LEN, SealingKey};

/// Why the key-encryption keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// A line is not a key.
    #[error(
        "line {line} of the key-encryption keys must be 32 bytes in base64, as `openssl rand -base64 32` prints them"
    )]
    Malformed {
        /// Its number, from 1.
        line: usize,
    },
    /// There is none.
    #[error("a key-encryption key is missing: a line of 32 bytes in base64, as `openssl rand -base64 32` prints them")]
    Missing,
    /// No key could be made.
    #[error("a new key-encryption key could not be made: the system gives no randomness")]
    NoRandomness,
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be used")]
    File {
        /// Its path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// The key-encryption keys: the current one wraps, and all of them open. They cannot be printed.
pub struct Keks {
    current: Kek,
    others: Vec<Kek>,
}

/// A key-encryption key with its id.
struct Kek {
    id: String,
    key: SealingKey,
}

impl Keks {
    /// The keys in the text, one a line, the current one first. Empty lines, and what follows a `#`, do not count.
    ///
    /// # Errors
    /// Where a line is no key, or there is none.
    pub fn parse(text: &str) -> Result<Self, KekError> {
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                keys.push(Kek::parse(line).ok_or(KekError::Malformed { line: number })?);
            }
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(KekError::Missing)?;
        Ok(Self { current, others: keys.collect() })
    }

    /// The keys in the file.
    ///
    /// # Errors
    /// As [`Self::parse`], and where the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, KekError> {
        let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        Self::parse(&Zeroizing::new(text))
    }

    /// The keys in the file, which is made with a new key where it is missing.
    ///
    /// # Errors
    /// As [`Self::load`], and where the file cannot be written.
    pub fn load_or_create(path: &Path) -> Result<Self, KekError> {
        if !path.exists() {
            let mut key = Zeroizing::new([0_u8; KEY_LEN]);
            rand::fill(key.as_mut_slice()).map_err(|_| KekError::NoRandomness)?;
            let text = Zeroizing::new(BASE64_STANDARD.encode(key.as_slice()) + "\n");
            crate::files::write_private(path, text.as_bytes()).map_err(|source| file_error(path, source))?;
        }
        Self::load(path)
    }

    /// Names the current key without telling it.
    pub(super) fn current(&self) -> &str {
        &self.current.id
    }

    /// Whether the named key is among them.
    pub fn holds(&self, kek_id: &str) -> bool {
        self.all().any(|kek| kek.id == kek_id)
    }

    /// Names all keys, the current one first.
    fn ids(&self) -> Vec<&str> {
        self.all().map(|kek| kek.id.as_str()).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.current).chain(&self.others)
    }

    /// Wraps a tenant's data key with the named key.
    pub(super) fn wrap(
        &self,
        tenant: TenantId,
        generation: u32,
        kek_id: &str,
        data_key: &[u8],
    ) -> Result<Vec<u8>, PortError> {
        let kek = self.named(kek_id)?;
        kek.key.seal(&kek.binding(tenant, generation), data_key)
    }

    /// Opens a tenant's data key that the named one wraps.
    pub(super) fn unwrap(
        &self,
        tenant: TenantId,
        generation: u32,
        kek_id: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let kek = self.named(kek_id)?;
        kek.key.open(&kek.binding(tenant, generation), wrapped)
    }

    fn named(&self, kek_id: &str) -> Result<&Kek, PortError> {
        self.all().find(|kek| kek.id == kek_id).ok_or_else(|| {
            let have = self.ids().join(", ");
            PortError::internal(format!(
                "secrets are wrapped by the key {kek_id}, which is not among the key-encryption keys; those are {have}"
            ))
        })
    }
}

impl Kek {
    fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).ok()?);
        let key: &[u8; KEY_LEN] = bytes.as_slice().try_into().ok()?;
        let id = hex(&digest::digest(&digest::SHA256, key).as_ref()[..8]);
        Some(Self { id, key: SealingKey::new(key) })
    }

    /// The first key of a tenant is bound as it was before there could be others.
    fn binding(&self, tenant: TenantId, generation: u32) -> String {
        match generation {
            1 => format!("tenant-key|{tenant}|{}", self.id),
            _ => format!("tenant-key|{tenant}|{}|{generation}", self.id),
        }
    }
}

fn file_error(path: &Path, source: std::io::Error) -> KekError {
    KekError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn text(byte: u8) -> String {
        BASE64_STANDARD.encode([byte; KEY_LEN])
    }

    #[test]
    fn keys_are_lines_of_32_bytes_in_base64() {
        let two = format!("# of June\n{} # current\n\n{}\n", text(1), text(2));
        assert_eq!(Keks::parse(&two).unwrap().ids().len(), 2);
        assert!(matches!(Keks::parse("\n# none\n"), Err(KekError::Missing)));
        for bad in ["short", &BASE64_STANDARD.encode([1_u8; 31]), "not base64 at all!"] {
            let lines = format!("{}\n{bad}", text(1));
            assert!(matches!(Keks::parse(&lines), Err(KekError::Malformed { line: 2 })), "{bad}");
        }
    }

    #[test]
    fn the_first_key_wraps_and_all_open() {
        let tenant = TenantId::from(Uuid::from_u128(1));
        let parse =
            |bytes: &[u8]| Keks::parse(&bytes.iter().map(|byte| text(*byte)).collect::<Vec<_>>().join("\n")).unwrap();
        let (old, new) = (parse(&[1]), parse(&[2, 1]));
        let wrapped = |keks: &Keks, kek_id| keks.wrap(tenant, 1, kek_id, b"data key").unwrap();
        let (before, after) = (wrapped(&old, old.current()), wrapped(&new, new.current()));
        assert!(old.wrap(tenant, 1, new.current(), b"data key").is_err());
        assert_eq!(new.unwrap(tenant, 1, old.current(), &before).unwrap().as_slice(), b"data key");
        assert_eq!(new.unwrap(tenant, 1, new.current(), &after).unwrap().as_slice(), b"data key");
        assert!(old.unwrap(tenant, 1, new.current(), &after).is_err());
        assert!(new.unwrap(tenant, 2, new.current(), &after).is_err(), "it is no other one of the tenant's keys");
    }
}
