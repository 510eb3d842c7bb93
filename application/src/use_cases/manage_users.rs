//! Looking at the users of the company, and changing them.

use std::sync::Arc;

use domain::EventSourced;
use domain::access::{Permission, PlatformPermission, RoleName};
use domain::ids::UserId;
use domain::session::RevocationReason;
use domain::user::{Membership, User, UserCommand, UserError};
use domain::values::{DisplayName, Personal};

use super::RoleAssignment;
use super::end_sessions::EndSessions;
use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::Credentials;
use crate::ports::read_models::{Found, Page, PageRequest, UserView, Users};
use crate::ports::second_factors::{FactorOwner, SecondFactors};
use crate::ports::sessions::RefreshTokens;

/// What shall be different about a user.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Another name.
    pub name: Option<DisplayName>,
    /// Another role.
    pub role: Option<RoleName>,
}

/// Manages the users of a company.
pub struct ManageUsers {
    /// The read model.
    pub users: Arc<dyn Users>,
    /// The log.
    pub accounts: Arc<dyn Commands<User>>,
    /// Who may be given which role, and keeping the list of owners.
    pub assignment: RoleAssignment,
    /// Password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Authenticator apps and recovery codes.
    pub factors: Arc<dyn SecondFactors>,
    /// Who has sessions.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Ending sessions.
    pub end: Arc<EndSessions>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ManageUsers {
    /// The one who asks.
    ///
    /// # Errors
    /// `not_found` where the read model has no such user yet.
    pub async fn own(&self, context: &RequestContext) -> Result<UserView, AppError> {
        let account = context.who_asks()?;
        let found = self.users.get(account.scope(), account.user_id).await?;
        Ok(found.or_missing(UserError::NotFound.into())?.item)
    }

    /// A user of the company.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for another company's.
    pub async fn get(&self, context: &RequestContext, id: UserId) -> Result<Found<UserView>, AppError> {
        let scope = context.authorize(Permission::UsersView)?;
        self.users.get(&scope, id).await?.or_missing(UserError::NotFound.into())
    }

    /// The company's users, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<UserView>, AppError> {
        let scope = context.authorize(Permission::UsersView)?;
        Ok(self.users.list(&scope, page).await?)
    }

    /// Changes the name or the role. Another role ends the user's access tokens; the sessions go on with the new one. The own
    /// name can be changed by everybody.
    ///
    /// # Errors
    /// `forbidden` without the right, and where the caller does not manage the user's role or the new one; `not_found` for
    /// another company's user; `conflict` for one who is deactivated, and for the last owner.
    pub async fn change(
        &self,
        context: &RequestContext,
        id: UserId,
        UserChange { name, role }: UserChange,
    ) -> Result<Option<LogPosition>, AppError> {
        let own = context.own_account().ok().filter(|account| account.user_id == id && role.is_none());
        let scope = match own {
            Some(account) => account.scope().clone(),
            None => self.manage(context, id).await?.0,
        };
        let mut last = None;
        if let Some(role) = role {
            last = last.max(self.change_role(&scope, id, role).await?);
        }
        if let Some(name) = name {
            let rename = UserCommand::Rename { name: Personal::new(name), at: self.clock.now() };
            last = last.max(self.record(&scope, id, rename).await?);
        }
        Ok(last)
    }

    /// Keeps the user from signing in, ends the sessions, and frees the e-mail address. The user's history stays.
    ///
    /// # Errors
    /// `forbidden` without the right, and where the caller does not manage the user's role; `not_found` for another
    /// company's user; `conflict` for the last owner.
    pub async fn deactivate(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        let (scope, role) = self.manage(context, id).await?;
        self.assignment.taken(&scope, id, &role).await?;
        let recorded = self.record(&scope, id, UserCommand::Deactivate { at: self.clock.now() }).await?;
        let sessions = self.refresh_tokens.sessions_of(id).await?;
        let ended = self.end.end_all(scope.context(), sessions, RevocationReason::UserDeactivated).await?;
        Ok(recorded.max(ended))
    }

    /// Removes a deactivated user for good: nobody sees or reactivates the user any more, and what the user signed in with is
    /// gone; where this is cut off, within the hour (see `purge_removed` of the adapters). The user's history stays.
    ///
    /// # Errors
    /// `forbidden` for all but staff with the right; `not_found` for another company's user; `conflict` for one who is not
    /// deactivated.
    pub async fn remove(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        context.authorize_platform(PlatformPermission::UsersDelete)?;
        let (scope, _) = self.manage(context, id).await?;
        let recorded = self.record(&scope, id, UserCommand::Remove { at: self.clock.now() }).await?;
        self.credentials.forget(id).await?;
        self.factors.forget(FactorOwner { user_id: id, tenant_id: Some(scope.tenant_id()) }).await?;
        Ok(recorded)
    }

    /// Lets the user sign in again, with the password of before.
    ///
    /// # Errors
    /// `forbidden` without the right, and where the caller does not manage the user's role; `not_found` for another
    /// company's user; `taken` where somebody else has the e-mail address now.
    pub async fn reactivate(&self, context: &RequestContext, id: UserId) -> Result<Option<LogPosition>, AppError> {
        let (scope, role) = self.manage(context, id).await?;
        let recorded = self.record(&scope, id, UserCommand::Reactivate { at: self.clock.now() }).await?;
        Ok(recorded.max(self.assign(&scope, id, &role).await?))
    }

    /// Gives the user another role, which the caller manages like the one of now.
    async fn change_role(
        &self,
        scope: &TenantScope,
        id: UserId,
        role: RoleName,
    ) -> Result<Option<LogPosition>, AppError> {
        self.assignment.require(scope, &role).await?;
        let User::Active(user) = self.accounts.load(id.uuid()).await? else {
            return Err(UserError::Deactivated.into());
        };
        match &user.membership {
            Membership::Tenant { role: former, .. } if *former != role => {
                self.assignment.taken(scope, id, former).await?;
            }
            Membership::Tenant { .. } | Membership::Platform { .. } => {}
        }
        let change = UserCommand::ChangeRole { role: role.clone(), at: self.clock.now() };
        let recorded = self.record(scope, id, change).await?;
        Ok(recorded.max(self.assign(scope, id, &role).await?))
    }

    /// Records that the user has the role. Where somebody took it in the meantime, that is recorded after it, so that the
    /// list of owners never names one who is none for longer than this takes.
    async fn assign(&self, scope: &TenantScope, id: UserId, role: &RoleName) -> Result<Option<LogPosition>, AppError> {
        let given = self.assignment.given(scope, id, role).await?;
        if given.is_none() {
            return Ok(None);
        }
        let tenant_id = scope.tenant_id();
        match self.accounts.load(id.uuid()).await? {
            User::Active(user) if user.membership == Membership::Tenant { tenant_id, role: role.clone() } => Ok(given),
            User::Absent | User::Active(_) | User::Deactivated(_) | User::Removed(_) => {
                Ok(self.assignment.taken(scope, id, role).await?.or(given))
            }
        }
    }

    /// The scope and the user's role, where the caller manages users of that role.
    async fn manage(&self, context: &RequestContext, id: UserId) -> Result<(TenantScope, RoleName), AppError> {
        let scope = context.authorize(Permission::UsersWrite)?;
        let user = self.accounts.load(id.uuid()).await?;
        if user.tenant() != Some(scope.tenant_id()) {
            return Err(UserError::NotFound.into());
        }
        let (User::Active(details) | User::Deactivated(details)) = user else {
            return Err(UserError::NotFound.into());
        };
        let Membership::Tenant { role, .. } = details.membership else { return Err(UserError::NotFound.into()) };
        self.assignment.require(&scope, &role).await?;
        Ok((scope, role))
    }

    async fn record(
        &self,
        scope: &TenantScope,
        id: UserId,
        command: UserCommand,
    ) -> Result<Option<LogPosition>, AppError> {
        Ok(self.accounts.execute(scope.context(), id.uuid(), command).await?.position)
    }
}
