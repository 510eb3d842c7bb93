//! The key-encryption key: it exists in a mounted file or in the environment, never in the database.

use std::path::Path;

use application::PortError;
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::hex;
use super::sealing::{KEY_LEN, SealingKey};

/// Why the key-encryption key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// The text is not a key.
    #[error("the key-encryption key must be 32 bytes in base64, as `openssl rand -base64 32` prints them")]
    Malformed,
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

/// A key-encryption key with its id. It cannot be printed.
pub struct Kek {
    id: String,
    key: SealingKey,
}

impl Kek {
    /// The key in the text.
    pub fn parse(text: &str) -> Result<Self, KekError> {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text.trim()).map_err(|_| KekError::Malformed)?);
        let key: &[u8; KEY_LEN] = bytes.as_slice().try_into().map_err(|_| KekError::Malformed)?;
        let id = hex(&digest::digest(&digest::SHA256, key).as_ref()[..8]);
        Ok(Self { id, key: SealingKey::new(key) })
    }

    /// The key in the file.
    pub fn load(path: &Path) -> Result<Self, KekError> {
        let text = std::fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        Self::parse(&Zeroizing::new(text))
    }

    /// The key in the file, which is made with a new key where it is missing.
    pub fn load_or_create(path: &Path) -> Result<Self, KekError> {
        if !path.exists() {
            let mut key = Zeroizing::new([0_u8; KEY_LEN]);
            rand::fill(key.as_mut_slice()).map_err(|_| KekError::Malformed)?;
            let text = Zeroizing::new(BASE64_STANDARD.encode(key.as_slice()));
            crate::files::write_private(path, text.as_bytes()).map_err(|source| file_error(path, source))?;
        }
        Self::load(path)
    }

    /// Names the key without telling it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn wrap(&self, binding: &str, key: &[u8]) -> Result<Vec<u8>, PortError> {
        self.key.seal(binding, key)
    }

    pub(super) fn unwrap(&self, binding: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, PortError> {
        self.key.open(binding, wrapped).map(Zeroizing::new)
    }
}

fn file_error(path: &Path, source: std::io::Error) -> KekError {
    KekError::File { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_base64() {
        assert!(Kek::parse(&BASE64_STANDARD.encode([1_u8; 32])).is_ok());
        for bad in ["", "short", &BASE64_STANDARD.encode([1_u8; 31]), "not base64 at all!"] {
            assert!(Kek::parse(bad).is_err(), "{bad}");
        }
    }
}
