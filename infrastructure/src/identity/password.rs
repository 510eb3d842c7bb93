//! Argon2id (RFC 9106) off the async threads, few at a time and with few waiting, so that a storm of sign-ins does not
//! starve the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use application::ports::identity::{PasswordHash, PasswordHasher, PasswordMatch};
use application::{Password, PortError};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::error::internal;

/// When someone who was turned away may find the queue shorter.
const TURNED_AWAY: Duration = Duration::from_secs(2);

/// What a hash costs, and how many are computed.
#[derive(Debug, Clone, Copy)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Hashes computed at the same time.
    pub at_once: usize,
    /// Hashes that may wait for their turn.
    pub waiting: usize,
}

impl Default for PasswordCost {
    /// The parameters that OWASP recommends, on at most half of the processors.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { memory_kib: 19 * 1024, passes: 2, at_once: (processors / 2).max(1), waiting: 256 }
    }
}

/// Hashes passwords with Argon2id.
pub struct Argon2Hasher {
    argon2: Argon2<'static>,
    /// Verified against where there is no user, so that the answer takes as long as for one who exists.
    nobody: phc::PasswordHash,
    permits: Arc<Semaphore>,
    queue: Arc<AtomicUsize>,
    longest_queue: usize,
}

/// A place among those that are computed or wait.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Argon2Hasher {
    /// A hasher of that cost.
    pub fn new(cost: PasswordCost) -> Result<Self, PortError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|error| internal(error.to_string()))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(b"nobody").map_err(|error| internal(error.to_string()))?;
        let (permits, queue) = (Arc::new(Semaphore::new(cost.at_once)), Arc::default());
        Ok(Self { argon2, nobody, permits, queue, longest_queue: cost.at_once + cost.waiting })
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let place = Place(Arc::clone(&self.queue));
        if self.queue.fetch_add(1, Ordering::AcqRel) >= self.longest_queue {
            return Err(PortError::Busy { retry_after: TURNED_AWAY });
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(internal)?;
        let argon2 = self.argon2.clone();
        // The thread holds both, so that callers who have gone do not make room for more than can be computed.
        tokio::task::spawn_blocking(move || {
            let result = work(argon2);
            drop((permit, place));
            result
        })
        .await
        .map_err(internal)
    }

    /// Whether a hash costs less than one of today.
    fn is_outdated(&self, hash: &phc::PasswordHash) -> bool {
        let current = self.argon2.params();
        Params::try_from(hash)
            .map_or(true, |params| params.m_cost() < current.m_cost() || params.t_cost() < current.t_cost())
            || hash.algorithm.as_str() != Algorithm::Argon2id.as_str()
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PortError> {
        let password = password.secret().clone();
        let hashed = self.compute(move |argon2| argon2.hash_password(password.expose_secret().as_bytes())).await?;
        let hash = hashed.map_err(|error| internal(error.to_string()))?;
        Ok(PasswordHash(SecretString::from(hash.to_string())))
    }

    async fn verify(&self, password: &SecretString, hash: Option<&PasswordHash>) -> Result<PasswordMatch, PortError> {
        let known = match hash {
            Some(hash) => {
                Some(phc::PasswordHash::new(hash.0.expose_secret()).map_err(|error| internal(error.to_string()))?)
            }
            None => None,
        };
        let outdated = known.as_ref().is_some_and(|hash| self.is_outdated(hash));
        let exists = known.is_some();
        let (password, hash) = (password.clone(), known.unwrap_or_else(|| self.nobody.clone()));
        let fits = self
            .compute(move |argon2| argon2.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
            .await?;
        Ok(match (fits && exists, outdated) {
            (false, _) => PasswordMatch::No,
            (true, false) => PasswordMatch::Yes,
            (true, true) => PasswordMatch::Outdated,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEAK: PasswordCost = PasswordCost { memory_kib: 8, passes: 1, at_once: 1, waiting: 64 };

    fn password(text: &str) -> Password {
        Password::new(text.into(), &[]).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_fits() {
        let hasher = Argon2Hasher::new(PasswordCost::default()).unwrap();
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        let verify = async |text: &str, hash| hasher.verify(&secret(text), hash).await.unwrap();
        assert_eq!(verify("correct horse", Some(&hash)).await, PasswordMatch::Yes);
        assert_eq!(verify("wrong horse", Some(&hash)).await, PasswordMatch::No);
        assert_eq!(verify("nobody", None).await, PasswordMatch::No);
    }

    #[tokio::test]
    async fn a_hash_of_weaker_parameters_is_told() {
        let (weak, strong) = (Argon2Hasher::new(WEAK).unwrap(), PasswordCost { passes: 2, ..WEAK });
        let hash = weak.hash(&password("correct horse")).await.unwrap();
        let strong = Argon2Hasher::new(strong).unwrap();
        let verify = async |text: &str| strong.verify(&secret(text), Some(&hash)).await.unwrap();
        assert_eq!(verify("correct horse").await, PasswordMatch::Outdated);
        assert_eq!(verify("wrong horse").await, PasswordMatch::No);
    }

    /// Seen to fail: without the limit, all of them are hashed.
    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_turned_away_at_once() {
        let hasher = Argon2Hasher::new(PasswordCost { waiting: 3, ..WEAK }).unwrap();
        let word = secret("correct horse");
        // Held until all of them are there: a hash may be done before the last of them asks.
        let permit = Arc::clone(&hasher.permits).acquire_owned().await.unwrap();
        let all = futures::future::join_all((0..10).map(|_| hasher.verify(&word, None)));
        let (all, ()) = futures::future::join(all, async { drop(permit) }).await;
        let busy = all.iter().filter(|one| matches!(one, Err(PortError::Busy { .. }))).count();
        assert_eq!(busy, 6, "one is next and three wait");
        assert_eq!(hasher.verify(&word, None).await.unwrap(), PasswordMatch::No, "there is room again");
    }
}
