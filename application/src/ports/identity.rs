//! Passwords, access tokens, and what keeps people from guessing.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{SessionId, UserId};
use domain::values::Email;
use secrecy::SecretString;

use crate::context::Principal;
use crate::error::PortError;
use crate::password::Password;

/// A password hash in PHC format. It cannot be printed.
#[derive(Clone)]
pub struct PasswordHash(pub SecretString);

/// Whether a password is the one behind a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMatch {
    /// It is not, or there is no hash.
    No,
    /// It is.
    Yes,
    /// It is, and the hash is weaker than those of today: the password shall be hashed anew.
    Outdated,
}

/// Slow, salted hashing of passwords.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a new password.
    ///
    /// # Errors
    /// [`PortError::Busy`] where too many wait already.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, PortError>;

    /// Whether the password fits. Without a hash it takes the same time and the answer is no, so that nobody learns
    /// which users exist.
    ///
    /// # Errors
    /// [`PortError::Busy`] where too many wait already.
    async fn verify(&self, password: &SecretString, hash: Option<&PasswordHash>) -> Result<PasswordMatch, PortError>;
}

/// Where password hashes are kept; never in the log.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Keeps the hash in place of any earlier one.
    async fn set(&self, user: UserId, hash: PasswordHash) -> Result<(), PortError>;

    /// The hash, if a password was set.
    async fn get(&self, user: UserId) -> Result<Option<PasswordHash>, PortError>;

    /// Forgets the password. Sessions that were being opened with it are not.
    async fn forget(&self, user: UserId) -> Result<(), PortError>;

    /// Keeps the hash in place of this one only.
    async fn replace(&self, user: UserId, old: &PasswordHash, new: PasswordHash) -> Result<(), PortError>;

    /// Keeps the hash of a new password in place of this one only, forgets the refresh tokens of the user's other sessions and
    /// ends links to confirm another address, all or nothing. Answers with those sessions; none where another hash, or no
    /// hash, is there by now.
    async fn change(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
        keep: SessionId,
    ) -> Result<Option<Vec<SessionId>>, PortError>;
}

/// A signed token and when it ends.
#[derive(Clone)]
pub struct AccessToken {
    /// The token. It cannot be printed.
    pub token: SecretString,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
}

/// The SHA-256 of a CSRF token, in hexadecimal digits. Whoever has it does not have the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsrfHash(pub String);

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSubject {
    /// Who is signed in, and in which session.
    pub principal: Principal,
    /// The user's token version when it was issued.
    pub token_version: u32,
    /// What the CSRF token is told by, where the token lives in a cookie.
    pub csrf: Option<CsrfHash>,
}

/// A key that access tokens are verified with (RFC 7517, RFC 7518 §6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id, as the tokens name it.
    pub key_id: String,
    /// The modulus, base64url without padding.
    pub modulus: String,
    /// The exponent, base64url without padding.
    pub exponent: String,
}

/// Signing and verifying access tokens (RFC 7519, RS256).
pub trait Tokens: Send + Sync {
    /// A token that says this, for as long as tokens live.
    fn issue(&self, subject: &TokenSubject, now: DateTime<Utc>) -> Result<AccessToken, PortError> {
        self.issue_until(subject, now, DateTime::<Utc>::MAX_UTC)
    }

    /// The same, which ends at this time at the latest.
    fn issue_until(
        &self,
        subject: &TokenSubject,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<AccessToken, PortError>;

    /// What a token says that is whole, ours and in time; none otherwise. Whether it was revoked is not asked here.
    fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Arc<TokenSubject>>;

    /// The keys that tokens are verified with, now or soon.
    fn public_keys(&self, now: DateTime<Utc>) -> Vec<PublicKey>;
}

/// What failures of an account are counted for. Each is forgotten by what is right of its own kind alone.
#[derive(Debug, Clone)]
pub enum Counted {
    /// Passwords of the account that was named, whether it exists or not.
    Passwords(Email),
    /// Codes of a user's second factor.
    Codes(UserId),
}

/// An attempt to prove who one is, by what failures are counted.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// What was tried, and of whom; none where the text is no address.
    pub account: Option<Counted>,
    /// Where the attempt came from.
    pub address: Option<String>,
}

/// An account that nobody may sign in to for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// Attempts that have failed in a row.
    pub failures: u32,
    /// When the next one is allowed.
    pub until: DateTime<Utc>,
}

/// Counts failed attempts to prove who one is, per account and per address, for all processes together.
#[async_trait]
pub trait SignInGuard: Send + Sync {
    /// When the next attempt is allowed; none where this one is.
    async fn locked_until(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, PortError>;

    /// Counts a failure. Answers with the lockout of the account that it led to.
    async fn failed(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<Lockout>, PortError>;

    /// Forgets the account's failures, unless others locked it while this attempt was looked at.
    async fn succeeded(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, PortError>;
}

/// Whose the addresses are that people sign in with, of all companies and the platform's staff.
///
/// It is the log's own list of what is taken, which no read model can lag behind: who has just been registered can sign in.
#[async_trait]
pub trait EmailOwners: Send + Sync {
    /// The user who may sign in with this address.
    async fn owner_of(&self, email: &Email) -> Result<Option<UserId>, PortError>;
}
