//! Argon2id (RFC 9106) off the async threads, few at a time, so that a storm of sign-ins does not starve the rest.

use std::sync::Arc;

use application::PortError;
use application::ports::identity::{PasswordHash, PasswordHasher};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::error::internal;

/// What a hash costs.
#[derive(Debug, Clone, Copy)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Hashes computed at the same time.
    pub at_once: usize,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, at_once: 2 }
    }
}

/// Hashes passwords with Argon2id.
pub struct Argon2Hasher {
    argon2: Argon2<'static>,
    /// Verified against where there is no user, so that the answer takes as long as for one who exists.
    nobody: phc::PasswordHash,
    permits: Arc<Semaphore>,
}

impl Argon2Hasher {
    /// A hasher of that cost.
    pub fn new(cost: PasswordCost) -> Result<Self, PortError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|error| internal(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(b"nobody").map_err(|error| internal(error.to_string()))?;
        Ok(Self { argon2, nobody, permits: Arc::new(Semaphore::new(cost.at_once)) })
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(internal)?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            let result = work(argon2);
            drop(permit);
            result
        })
        .await
        .map_err(internal)
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PortError> {
        let hashed = self.compute(move |argon2| argon2.hash_password(password.expose_secret().as_bytes())).await?;
        let hash = hashed.map_err(|error| internal(error.to_string()))?;
        Ok(PasswordHash(SecretString::from(hash.to_string())))
    }

    async fn verify(&self, password: SecretString, hash: Option<PasswordHash>) -> Result<bool, PortError> {
        let known = hash.is_some();
        let hash = match hash {
            Some(hash) => {
                phc::PasswordHash::new(hash.0.expose_secret()).map_err(|error| internal(error.to_string()))?
            }
            None => self.nobody.clone(),
        };
        let fits = self
            .compute(move |argon2| argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
            .await?;
        Ok(fits && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_fits() {
        let hasher = Argon2Hasher::new(PasswordCost::default()).unwrap();
        let hash = || async { Some(hasher.hash(secret("correct horse")).await.unwrap()) };
        assert!(hasher.verify(secret("correct horse"), hash().await).await.unwrap());
        assert!(!hasher.verify(secret("wrong horse"), hash().await).await.unwrap());
        assert!(!hasher.verify(secret("nobody"), None).await.unwrap());
    }
}
