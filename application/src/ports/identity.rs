//! Passwords and access tokens.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::UserId;
use secrecy::SecretString;

use crate::context::Principal;
use crate::error::PortError;

/// A password hash in PHC format. It cannot be printed.
pub struct PasswordHash(pub SecretString);

/// Slow, salted hashing of passwords.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a new password.
    async fn hash(&self, password: SecretString) -> Result<PasswordHash, PortError>;

    /// Whether the password fits. Without a hash it takes the same time and the answer is no, so that nobody learns
    /// which users exist.
    async fn verify(&self, password: SecretString, hash: Option<PasswordHash>) -> Result<bool, PortError>;
}

/// Where password hashes are kept; never in the log.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Keeps the hash in place of any earlier one.
    async fn set(&self, user: UserId, hash: PasswordHash) -> Result<(), PortError>;

    /// The hash, if a password was set.
    async fn get(&self, user: UserId) -> Result<Option<PasswordHash>, PortError>;
}

/// A signed token and when it ends.
pub struct AccessToken {
    /// The token. It cannot be printed.
    pub token: SecretString,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
}

/// Signing and verifying access tokens (RFC 7519, RS256).
pub trait Tokens: Send + Sync {
    /// A token for the user.
    fn issue(&self, principal: Principal, now: DateTime<Utc>) -> Result<AccessToken, PortError>;

    /// The user of a token that is whole, ours and in time; none otherwise.
    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Principal>;
}
