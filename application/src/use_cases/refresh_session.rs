//! Exchanging a refresh token for the next pair of tokens.

use std::sync::Arc;

use domain::ErrorKind;
use domain::session::{RevocationReason, Session};
use domain::tenant::Tenant;
use domain::user::{User, UserDetails};
use secrecy::SecretString;

use super::code_check::{SecondFactorCheck, SessionProof};
use super::end_sessions::EndSessions;
use super::open_session::{OpenSessions, SessionTokens};
use crate::context::{Origin, RequestContext};
use crate::error::AppError;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::identity::CsrfHash;
use crate::ports::sessions::{RefreshTokens, Rotation, SessionKey};

/// A refresh token, as it came.
pub struct PresentedToken {
    /// The token.
    pub token: SecretString,
    /// The CSRF token beside it, where it came in a cookie.
    pub csrf: Option<SecretString>,
}

/// Keeps sessions going.
pub struct RefreshSession {
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// The sessions as the log knows them.
    pub sessions: Arc<dyn Commands<Session>>,
    /// The tenants as the log knows them.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Refresh tokens.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Whether staff have to show a code by now.
    pub second_factor: SecondFactorCheck,
    /// Issuing tokens.
    pub open: Arc<OpenSessions>,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl RefreshSession {
    /// The next tokens of the session, with the role that the user has now.
    ///
    /// # Errors
    /// `unauthenticated` where the token is unknown, used or out of time, or the session or its user does not stand any
    /// more; a used token ends the session, and so does an app that a member of the staff has set up elsewhere. `forbidden`
    /// where it came in a cookie without its CSRF token, and where the company is kept out: then the session cannot go on, not
    /// even once the company is resumed.
    pub async fn refresh(&self, origin: Origin, presented: PresentedToken) -> Result<SessionTokens, AppError> {
        let PresentedToken { token, csrf } = presented;
        let idle = self.open.life.idle;
        match self.refresh_tokens.rotate(&token, csrf.as_ref(), self.clock.now(), idle).await? {
            Rotation::Rotated { session, next, csrf: hash, second_factor: shown } => {
                let user = self.standing(&origin, session).await?;
                let second_factor = match self.second_factor.of_session(&user, shown).await? {
                    SessionProof::Password => false,
                    SessionProof::SecondFactor => true,
                    SessionProof::TooLittle => {
                        return self.ended(&origin, session, RevocationReason::ByUser).await;
                    }
                };
                let (issued_at, csrf) = (self.clock.now(), csrf.filter(|_| hash.is_some()));
                let access = self.open.access_token(session, &user, second_factor, hash)?;
                Ok(SessionTokens { session_id: session.session_id, access, refresh: next, csrf, issued_at })
            }
            Rotation::Unknown => Err(refused()),
            Rotation::Forged => Err(forged()),
            Rotation::Expired(session) => self.ended(&origin, session, RevocationReason::Expired).await,
            Rotation::Reused(session) => self.ended(&origin, session, RevocationReason::RefreshReused).await,
        }
    }

    /// The user of a session, where both still stand.
    async fn standing(&self, origin: &Origin, key: SessionKey) -> Result<UserDetails, AppError> {
        let Session::Open(_) = self.sessions.load(key.session_id.uuid()).await? else {
            self.refresh_tokens.forget(key.session_id).await?;
            return Err(refused());
        };
        if let Some(tenant) = key.tenant_id
            && let Err(kept_out) = self.tenants.load(tenant.uuid()).await?.require_open()
        {
            self.refresh_tokens.forget(key.session_id).await?;
            return Err(kept_out.into());
        }
        match self.accounts.load(key.user_id.uuid()).await? {
            User::Active(details) => Ok(details),
            User::Absent | User::Deactivated(_) | User::Removed(_) => {
                self.ended(origin, key, RevocationReason::UserDeactivated).await
            }
        }
    }

    /// Ends the session for that reason, and refuses.
    async fn ended<T>(&self, origin: &Origin, key: SessionKey, reason: RevocationReason) -> Result<T, AppError> {
        let context = RequestContext::for_system("sessions", key.tenant_id, self.ids.next(), origin.request_id);
        self.end.end(&context.from_client(origin.client.clone()), key.session_id, reason).await?;
        Err(refused())
    }
}

fn refused() -> AppError {
    let detail = "Sign in again: the refresh token is not valid any more.";
    AppError::new(ErrorKind::Unauthenticated, "refresh.refused", detail)
}

/// The refusal of an unsafe request that a browser may have been talked into.
fn forged() -> AppError {
    let detail = "Send the CSRF token that signing in answered with in the header X-CSRF-Token.";
    AppError::new(ErrorKind::Forbidden, "csrf.missing", detail)
}

/// What an unsafe request must prove that is signed in by a cookie: that it knows the session's CSRF token.
///
/// # Errors
/// `forbidden` where it does not.
pub fn require_csrf(expected: Option<&CsrfHash>, presented: Option<&CsrfHash>) -> Result<(), AppError> {
    // Both are hashes, so nothing is learned from how long comparing them takes.
    if expected.is_some() && expected == presented { Ok(()) } else { Err(forged()) }
}
