//! Ending sessions: one's own, and those of the company's users.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::{SessionId, UserId};
use domain::session::{RevocationReason, Session, SessionCommand, SessionError};
use domain::user::{Membership, User, UserError};
use futures::{StreamExt, TryStreamExt, stream};

use super::RoleAssignment;
use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::sessions::RefreshTokens;

/// Sessions that are ended at the same time.
const AT_ONCE: usize = 16;

/// Ends sessions.
pub struct EndSessions {
    /// The log.
    pub sessions: Arc<dyn Commands<Session>>,
    /// The users as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// Whose users the caller manages.
    pub assignment: RoleAssignment,
    /// Refresh tokens.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl EndSessions {
    /// Signs out: ends the session that the request is made in.
    pub async fn sign_out(&self, context: &RequestContext) -> Result<Option<LogPosition>, AppError> {
        let account = context.own_account_before_second_factor()?;
        self.end(account.context(), account.session_id, RevocationReason::SignedOut).await
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// `not_found` for anybody else's.
    pub async fn end_own(&self, context: &RequestContext, id: SessionId) -> Result<Option<LogPosition>, AppError> {
        let account = context.own_account()?;
        self.require_owner(id, account.user_id).await?;
        self.end(account.context(), id, RevocationReason::ByUser).await
    }

    /// Ends all of one's own sessions but the one that the request is made in.
    pub async fn end_own_others(&self, context: &RequestContext) -> Result<Option<LogPosition>, AppError> {
        let account = context.own_account()?;
        let mut others = self.refresh_tokens.sessions_of(account.user_id).await?;
        others.retain(|id| *id != account.session_id);
        self.end_all(account.context(), others, RevocationReason::ByUser).await
    }

    /// Ends a session of a user of the company.
    ///
    /// # Errors
    /// `forbidden` without the right, for an API key, and where the caller does not manage the user's role; `not_found` for
    /// another company's, and where it is not that user's.
    pub async fn end_of_user(
        &self,
        context: &RequestContext,
        user: UserId,
        id: SessionId,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = self.manage(context, user).await?;
        self.require_owner(id, user).await?;
        self.end(scope.context(), id, RevocationReason::ByAdmin).await
    }

    /// Ends all sessions of a user of the company.
    ///
    /// # Errors
    /// `forbidden` without the right, for an API key, and where the caller does not manage the user's role; `not_found` for
    /// another company's user.
    pub async fn end_all_of_user(
        &self,
        context: &RequestContext,
        user: UserId,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = self.manage(context, user).await?;
        let all = self.refresh_tokens.sessions_of(user).await?;
        self.end_all(scope.context(), all, RevocationReason::ByAdmin).await
    }

    /// Ends these sessions. The events come first: with one the session is over, whatever becomes of its tokens.
    pub(super) async fn end_all(
        &self,
        context: &RequestContext,
        ids: Vec<SessionId>,
        reason: RevocationReason,
    ) -> Result<Option<LogPosition>, AppError> {
        let ended = stream::iter(ids).map(|id| self.end(context, id, reason)).buffer_unordered(AT_ONCE);
        ended.try_fold(None, |last: Option<LogPosition>, position| async move { Ok(last.max(position)) }).await
    }

    /// Ends a session; one that has ended stays as it is.
    pub(super) async fn end(
        &self,
        context: &RequestContext,
        id: SessionId,
        reason: RevocationReason,
    ) -> Result<Option<LogPosition>, AppError> {
        let revoke = SessionCommand::Revoke { reason, at: self.clock.now() };
        let recorded = match self.sessions.execute(context, id.uuid(), revoke).await {
            // A sign-in that was cut off between its token and its event.
            Err(crate::CommandError::Rule(SessionError::NotFound)) => None,
            recorded => recorded?.position,
        };
        self.refresh_tokens.forget(id).await?;
        Ok(recorded)
    }

    async fn require_owner(&self, id: SessionId, user: UserId) -> Result<(), AppError> {
        match self.sessions.load(id.uuid()).await? {
            Session::Open(details) | Session::Revoked(details) if details.user_id == user => Ok(()),
            _ => Err(SessionError::NotFound.into()),
        }
    }

    /// The scope, where the caller manages users of the user's role.
    async fn manage(&self, context: &RequestContext, user: UserId) -> Result<TenantScope, AppError> {
        let scope = context.authorize(Permission::UsersWrite)?;
        let (User::Active(details) | User::Deactivated(details)) = self.accounts.load(user.uuid()).await? else {
            return Err(UserError::NotFound.into());
        };
        match details.membership {
            Membership::Tenant { tenant_id, role } if tenant_id == scope.tenant_id() => {
                self.assignment.require(&scope, &role).await?;
                Ok(scope)
            }
            Membership::Tenant { .. } | Membership::Platform { .. } => Err(UserError::NotFound.into()),
        }
    }
}
