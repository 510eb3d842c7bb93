//! Staff of the platform acting in the name of a company's user: for a while, for a reason, and seen by the company.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::EventSourced;
use domain::access::{Permission, PlatformPermission};
use domain::ids::{ImpersonationId, SessionId, TenantId, UserId};
use domain::impersonation::{
    Impersonation, ImpersonationCommand, ImpersonationDetails, ImpersonationError, OpenImpersonation,
};
use domain::tenant::Tenant;
use domain::user::{User, UserDetails, UserError};
use domain::values::Reason;

use crate::context::{ActingStaff, PlatformScope, Principal, RequestContext, person_needed};
use crate::error::AppError;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{AccessToken, TokenSubject, Tokens};
use crate::ports::impersonations::{ImpersonationView, Impersonations};
use crate::ports::read_models::{Page, PageRequest};

/// In whose name, why and for how long.
#[derive(Debug, Clone)]
pub struct ImpersonationRequest {
    /// The company.
    pub tenant_id: TenantId,
    /// Its user.
    pub user_id: UserId,
    /// Why, as the company reads it.
    pub reason: Reason,
    /// For how long.
    pub minutes: i64,
}

/// What a member of staff acts with.
pub struct ImpersonationToken {
    /// The impersonation.
    pub id: ImpersonationId,
    /// The user in whose name it is.
    pub user_id: UserId,
    /// For requests in the user's name.
    pub access: AccessToken,
    /// First instant at which no further token is given.
    pub until: DateTime<Utc>,
    /// The request's place in the log; none where nothing was recorded.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat.
    pub replayed: bool,
}

/// Opens, lists and ends impersonations, and gives the tokens for them.
pub struct Impersonate {
    /// The log.
    pub impersonations: Arc<dyn Commands<Impersonation>>,
    /// Companies, as the log knows them.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Users and staff, as the log knows them.
    pub accounts: Arc<dyn Commands<User>>,
    /// The read model.
    pub views: Arc<dyn Impersonations>,
    /// Access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
}

impl Impersonate {
    /// Begins to act in the name of a user of an open company.
    ///
    /// # Errors
    /// `forbidden` for all but staff with the right; `not_found` for no company and no user of it who may sign in;
    /// `forbidden` where the company is kept out; `invalid` for a time that is too short or too long.
    pub async fn open(
        &self,
        context: &RequestContext,
        request: ImpersonationRequest,
    ) -> Result<ImpersonationToken, AppError> {
        let (scope, staff_id) = by_staff(context)?;
        let ImpersonationRequest { tenant_id, user_id, reason, minutes } = request;
        self.require_present(tenant_id, user_id).await?;
        let (impersonation_id, at) = (ImpersonationId::from(self.ids.next()), self.clock.now());
        let until = at + TimeDelta::minutes(minutes);
        let open = OpenImpersonation { impersonation_id, tenant_id, staff_id, user_id, reason, until, at };
        let command = ImpersonationCommand::Open(open);
        let about = scope.about(tenant_id);
        let recorded = self.impersonations.execute(&about, impersonation_id.uuid(), command).await?;
        let token = self.token_of(recorded.id.into(), tenant_id, staff_id).await?;
        Ok(ImpersonationToken { position: recorded.position, replayed: recorded.replayed, ..token })
    }

    /// The next token for one's own impersonation, as long as it lasts.
    ///
    /// # Errors
    /// `forbidden` for all but staff with the right; `not_found` for another one's; `conflict` where it is over;
    /// `forbidden` where the company is kept out meanwhile, and `not_found` where the user is.
    pub async fn token(
        &self,
        context: &RequestContext,
        tenant_id: TenantId,
        id: ImpersonationId,
    ) -> Result<ImpersonationToken, AppError> {
        let (_, staff_id) = by_staff(context)?;
        self.token_of(id, tenant_id, staff_id).await
    }

    /// Ends it before its time, by staff with the right, whoever of them began it. One that is over stays as it is.
    ///
    /// # Errors
    /// `forbidden` for all but staff with the right; `not_found`.
    pub async fn end(
        &self,
        context: &RequestContext,
        tenant_id: TenantId,
        id: ImpersonationId,
    ) -> Result<Option<LogPosition>, AppError> {
        let (scope, staff_id) = by_staff(context)?;
        self.end_by(&scope.about(tenant_id), id, staff_id).await
    }

    /// Those of a company, newest first.
    ///
    /// # Errors
    /// `forbidden` for all but staff with the right; `not_found` for no company.
    pub async fn of_tenant(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        page: PageRequest,
    ) -> Result<Page<ImpersonationView>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::TenantsImpersonate)?;
        if !self.tenants.load(tenant.uuid()).await?.exists() {
            return Err(Tenant::absent().into());
        }
        Ok(self.views.of_tenant(&scope, tenant, page).await?)
    }

    /// Those of the own company, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn own(&self, context: &RequestContext, page: PageRequest) -> Result<Page<ImpersonationView>, AppError> {
        let scope = context.authorize(Permission::ImpersonationsRead)?;
        Ok(self.views.list(&scope, page).await?)
    }

    /// Ends one of the own company before its time. One that is over stays as it is.
    ///
    /// # Errors
    /// `forbidden` without the right, for an API key, and in another one's name; `not_found` for another company's.
    pub async fn end_own(
        &self,
        context: &RequestContext,
        id: ImpersonationId,
    ) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::ImpersonationsEnd)?;
        let ended_by = context.require_user()?;
        self.end_by(scope.context(), id, ended_by).await
    }

    async fn end_by(
        &self,
        context: &RequestContext,
        id: ImpersonationId,
        ended_by: UserId,
    ) -> Result<Option<LogPosition>, AppError> {
        let end = ImpersonationCommand::End { ended_by, at: self.clock.now() };
        Ok(self.impersonations.execute(context, id.uuid(), end).await?.position)
    }

    /// A token for an impersonation that lasts, which ends with it at the latest.
    async fn token_of(
        &self,
        id: ImpersonationId,
        tenant_id: TenantId,
        staff_id: UserId,
    ) -> Result<ImpersonationToken, AppError> {
        let impersonation = self.impersonations.load(id.uuid()).await?;
        let own = |details: &&ImpersonationDetails| details.tenant_id == tenant_id && details.staff_id == staff_id;
        let known = impersonation.details().filter(own).ok_or(ImpersonationError::NotFound)?;
        let now = self.clock.now();
        impersonation.allows_at(now).ok_or(ImpersonationError::Over)?;
        let user = self.require_present(tenant_id, known.user_id).await?;
        let User::Active(staff) = self.accounts.load(staff_id.uuid()).await? else { return Err(person_needed()) };
        let principal = Principal {
            user_id: user.user_id,
            membership: user.membership,
            session_id: SessionId::from(id.uuid()),
            second_factor: false,
            acting: Some(ActingStaff { staff_id, token_version: staff.token_version }),
        };
        let subject = TokenSubject { principal, token_version: user.token_version, csrf: None };
        let access = self.tokens.issue_until(&subject, now, known.until)?;
        let (user_id, until) = (known.user_id, known.until);
        Ok(ImpersonationToken { id, user_id, access, until, position: None, replayed: false })
    }

    /// The user, of a company that is open, as the log knows them.
    async fn require_present(&self, tenant: TenantId, user: UserId) -> Result<UserDetails, AppError> {
        self.tenants.load(tenant.uuid()).await?.require_open()?;
        match self.accounts.load(user.uuid()).await? {
            User::Active(details) if details.membership.tenant() == Some(tenant) => Ok(details),
            _ => Err(UserError::NotFound.into()),
        }
    }
}

/// The scope of staff who may act in users' names, and who it is. The terminal has no name that a company could be told.
fn by_staff(context: &RequestContext) -> Result<(PlatformScope, UserId), AppError> {
    let scope = context.authorize_platform(PlatformPermission::TenantsImpersonate)?;
    let staff_id = scope.staff_member().ok_or_else(person_needed)?;
    Ok((scope, staff_id))
}
