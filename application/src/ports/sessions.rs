//! Sessions: their refresh tokens, where they are listed, and which of them are over.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::{SessionId, TenantId, UserId};
use domain::session::SignInMethod;
use domain::values::Personal;
use secrecy::SecretString;

use super::identity::{CsrfHash, PasswordHash, TokenSubject};
use super::read_models::{Page, PageRequest};
use crate::context::TenantScope;
use crate::error::PortError;

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionKey {
    /// The session.
    pub session_id: SessionId,
    /// The user.
    pub user_id: UserId,
    /// The user's tenant; none for staff.
    pub tenant_id: Option<TenantId>,
}

/// A refresh token: 256 random bits, shown once.
#[derive(Clone)]
pub struct RefreshToken {
    /// The token. It cannot be printed.
    pub token: SecretString,
    /// When it can no longer be used.
    pub expires_at: DateTime<Utc>,
}

/// The first refresh token of a session.
pub struct FirstToken {
    /// The session.
    pub session: SessionKey,
    /// The hash that the password was verified against; it must still be the user's.
    pub verified: PasswordHash,
    /// Whether a code of a second factor was right, too.
    pub second_factor: bool,
    /// What the session's CSRF token is told by, where its tokens live in cookies.
    pub csrf: Option<CsrfHash>,
    /// When the token ends unless it is used.
    pub expires_at: DateTime<Utc>,
    /// When the session ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What became of a refresh token that was presented.
pub enum Rotation {
    /// It was good; this is its successor.
    Rotated {
        /// Whose it is.
        session: SessionKey,
        /// The successor.
        next: RefreshToken,
        /// What the session's CSRF token is told by.
        csrf: Option<CsrfHash>,
        /// Whether a code of the second factor of now was shown in the session.
        second_factor: bool,
    },
    /// Nobody knows it.
    Unknown,
    /// It lives in a cookie, and the CSRF token beside it is missing or wrong. Nothing was changed.
    Forged,
    /// Its time is over.
    Expired(SessionKey),
    /// It was used already, and not by two requests of one client that raced.
    Reused(SessionKey),
}

/// Refresh tokens, kept as hashes. A family of them is a session.
#[async_trait]
pub trait RefreshTokens: Send + Sync {
    /// A new CSRF token, and what it is told by.
    fn csrf_token(&self) -> Result<(SecretString, CsrfHash), PortError>;

    /// Begins a family; none where the user's password has changed since it was verified.
    async fn begin(&self, first: FirstToken) -> Result<Option<RefreshToken>, PortError>;

    /// Exchanges a token for its successor, which ends after `idle` unless it is used.
    async fn rotate(
        &self,
        presented: &SecretString,
        csrf: Option<&SecretString>,
        now: DateTime<Utc>,
        idle: TimeDelta,
    ) -> Result<Rotation, PortError>;

    /// The user's sessions that have a token.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<SessionId>, PortError>;

    /// Forgets the tokens of a session.
    async fn forget(&self, session: SessionId) -> Result<(), PortError>;
}

/// A session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// How the user signed in.
    pub method: SignInMethod,
    /// What the device called itself.
    pub user_agent: Option<String>,
    /// The address that the user signed in from.
    pub ip: Option<Personal<String>>,
    /// When the user signed in.
    pub opened_at: DateTime<Utc>,
    /// When one of its tokens was last used, give or take a minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
}

/// The read model of sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The user's open sessions, newest first.
    async fn list(
        &self,
        scope: &TenantScope,
        user: UserId,
        now: DateTime<Utc>,
        page: PageRequest,
    ) -> Result<Page<SessionView>, PortError>;
}

/// What this process knows of a token beyond what the token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stands.
    Stands,
    /// Its session is over, or the user has another role or may not sign in.
    Revoked,
    /// This process has not seen the end of the log for too long to know.
    Unknown,
}

/// Which tokens are refused before their time. Kept in memory, so asking costs nothing.
pub trait Revocations: Send + Sync {
    /// Whether a token that says this is accepted.
    fn verdict(&self, subject: &TokenSubject) -> Verdict;
}

/// When sessions were last seen. Outside of the log, at most once a minute for each.
pub trait Activity: Send + Sync {
    /// The session is in use.
    fn seen(&self, session: SessionKey, now: DateTime<Utc>);
}
