//! What signing in and refreshing share: sessions with their tokens.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::SessionId;
use domain::session::{OpenSession, Session, SessionCommand, SignInMethod};
use domain::user::UserDetails;
use domain::values::Personal;
use secrecy::{ExposeSecret, SecretString};

use crate::context::{Authenticated, Origin, Principal, RequestContext};
use crate::error::{AppError, PortError};
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::Commands;
use crate::ports::identity::{AccessToken, CsrfHash, PasswordHash, TokenSubject, Tokens};
use crate::ports::sessions::{FirstToken, RefreshToken, RefreshTokens, SessionKey};

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// Without use.
    pub idle: TimeDelta,
    /// In all.
    pub longest: TimeDelta,
}

impl Default for SessionLife {
    fn default() -> Self {
        Self { idle: TimeDelta::days(30), longest: TimeDelta::days(90) }
    }
}

/// Where a client keeps its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCarrier {
    /// It sends the access token in `Authorization`.
    Header,
    /// In cookies, with a CSRF token beside them.
    Cookies,
}

/// The tokens of a session, fresh.
pub struct SessionTokens {
    /// The session.
    pub session_id: SessionId,
    /// For requests.
    pub access: AccessToken,
    /// For the next tokens.
    pub refresh: RefreshToken,
    /// For unsafe requests, where the tokens live in cookies.
    pub csrf: Option<SecretString>,
    /// When they were made.
    pub issued_at: DateTime<Utc>,
}

/// What someone who signs in has proved.
pub(super) struct SignInProof {
    /// The hash that the password fits.
    pub(super) verified: PasswordHash,
    /// Whether a code of a second factor was right, too.
    pub(super) second_factor: bool,
}

/// Opens sessions.
pub struct OpenSessions {
    /// The log.
    pub sessions: Arc<dyn Commands<Session>>,
    /// Refresh tokens.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// How long they last.
    pub life: SessionLife,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl OpenSessions {
    /// A session of a user whose password fits that hash; none where the password has changed meanwhile.
    pub(super) async fn open(
        &self,
        origin: Origin,
        user: &UserDetails,
        proof: SignInProof,
        carrier: TokenCarrier,
    ) -> Result<Option<SessionTokens>, AppError> {
        let SignInProof { verified, second_factor } = proof;
        let (now, session_id) = (self.clock.now(), SessionId::from(self.ids.next()));
        let key = SessionKey { session_id, user_id: user.user_id, tenant_id: user.tenant() };
        let ends_at = now + self.life.longest;
        let (csrf, csrf_hash) = match carrier {
            TokenCarrier::Header => (None, None),
            TokenCarrier::Cookies => self.refresh_tokens.csrf_token().map(|(token, hash)| (Some(token), Some(hash)))?,
        };
        let expires_at = ends_at.min(now + self.life.idle);
        // The token comes before the session: one without a session that is open is worth nothing.
        let first =
            FirstToken { session: key, verified, second_factor, csrf: csrf_hash.clone(), expires_at, ends_at, now };
        let Some(refresh) = self.refresh_tokens.begin(first).await? else { return Ok(None) };
        let access = self.access_token(key, user, second_factor, csrf_hash)?;
        let command = SessionCommand::Open(OpenSession {
            session_id,
            user_id: user.user_id,
            tenant_id: user.tenant(),
            method: SignInMethod::Password,
            user_agent: origin.client.user_agent.clone().map(Personal::new),
            ip: origin.client.ip.clone().map(Personal::new),
            ends_at,
            at: now,
        });
        // Opening one's own session takes no right.
        let (user, nothing) = (self.proof(&access, now)?, Arc::default());
        let context = RequestContext::for_request(user, nothing, origin.request_id, origin.client, None);
        self.sessions
            .execute(context.own_account_before_second_factor()?.context(), session_id.uuid(), command)
            .await?;
        Ok(Some(SessionTokens { session_id, access, refresh, csrf, issued_at: now }))
    }

    /// What the edge will take the token for.
    fn proof(&self, access: &AccessToken, now: DateTime<Utc>) -> Result<Authenticated, PortError> {
        let proof = Authenticated::by(self.tokens.as_ref(), access.token.expose_secret(), now);
        proof.ok_or_else(|| PortError::internal("a token that was just issued is not taken"))
    }

    /// An access token for a session of the user as the log knows the user now.
    pub(super) fn access_token(
        &self,
        key: SessionKey,
        user: &UserDetails,
        second_factor: bool,
        csrf: Option<CsrfHash>,
    ) -> Result<AccessToken, AppError> {
        let SessionKey { session_id, user_id, .. } = key;
        let principal =
            Principal { user_id, membership: user.membership.clone(), session_id, second_factor, acting: None };
        let subject = TokenSubject { principal, token_version: user.token_version, csrf };
        Ok(self.tokens.issue(&subject, self.clock.now())?)
    }
}
