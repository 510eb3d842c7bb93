//! What the platform's staff do about the users of a company.

use std::sync::Arc;

use domain::access::{PlatformPermission, RoleName};
use domain::ids::{TenantId, UserId};
use domain::tenant::{Tenant, TenantError};
use domain::values::Email;

use super::{InvitationOutcome, InviteUsers, ManageUsers};
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::read_models::{Page, PageRequest, UserView};

/// Manages the users of whichever company.
pub struct ManageTenantUsers {
    /// Which companies there are.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// What is done about users, by whomever.
    pub users: Arc<ManageUsers>,
    /// Inviting people, by whomever.
    pub invite: Arc<InviteUsers>,
}

impl ManageTenantUsers {
    /// The company's users, newest first.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for no company.
    pub async fn list(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        page: PageRequest,
    ) -> Result<Page<UserView>, AppError> {
        let (context, _) = self.on_users_of(context, tenant, PlatformPermission::UsersRead).await?;
        self.users.list(&context, page).await
    }

    /// Invites the address into the company, or proposes it: whoever may invite could invite themselves, and see what the
    /// company sees. So those who may not appoint only propose, for roles without power over others, and the company sends the
    /// invitation or revokes it.
    ///
    /// # Errors
    /// As for [`InviteUsers::invite`]; `not_found` for no company and for no role of it; `forbidden` where the company is
    /// kept out, and for a role with power over others without the right to appoint.
    pub async fn invite(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        email: Email,
        role: RoleName,
    ) -> Result<InvitationOutcome, AppError> {
        let (proposing, company) = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
        company.require_open()?;
        match context.on_users_of(tenant, PlatformPermission::UsersAppoint) {
            Ok(appointing) => self.invite.invite(&appointing, email, role).await,
            Err(refused) if self.invite.assignment.has_power(tenant, &role).await? => Err(refused),
            Err(_) => self.invite.propose(&proposing, email, role).await,
        }
    }

    /// Lets the user sign in again.
    ///
    /// # Errors
    /// As for [`ManageUsers::reactivate`]; `not_found` for no company.
    pub async fn enable(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        id: UserId,
    ) -> Result<Option<LogPosition>, AppError> {
        let (context, _) = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
        self.users.reactivate(&context, id).await
    }

    /// Keeps the user from signing in.
    ///
    /// # Errors
    /// As for [`ManageUsers::deactivate`]; `not_found` for no company.
    pub async fn disable(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        id: UserId,
    ) -> Result<Option<LogPosition>, AppError> {
        let (context, _) = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
        self.users.deactivate(&context, id).await
    }

    /// Removes the user for good, once disabled.
    ///
    /// # Errors
    /// As for [`ManageUsers::remove`]; `not_found` for no company.
    pub async fn remove(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        id: UserId,
    ) -> Result<Option<LogPosition>, AppError> {
        let (context, _) = self.on_users_of(context, tenant, PlatformPermission::UsersDelete).await?;
        self.users.remove(&context, id).await
    }

    /// The request for work on the company's users, and the company.
    async fn on_users_of(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        permission: PlatformPermission,
    ) -> Result<(RequestContext, Tenant), AppError> {
        let context = context.on_users_of(tenant, permission)?;
        match self.tenants.load(tenant.uuid()).await? {
            Tenant::Absent => Err(TenantError::NotFound.into()),
            company => Ok((context, company)),
        }
    }
}
