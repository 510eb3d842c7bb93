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
        let context = self.on_users_of(context, tenant, PlatformPermission::UsersRead).await?;
        self.users.list(&context, page).await
    }

    /// Invites the address into the company. A role with power over others takes a right of its own: whoever may invite for it
    /// could invite themselves, and rule the company.
    ///
    /// # Errors
    /// As for [`InviteUsers::invite`]; `not_found` for no company and for no role of it; `forbidden` where the company is
    /// kept out, and for a role with power over others without that right.
    pub async fn invite(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        email: Email,
        role: RoleName,
    ) -> Result<InvitationOutcome, AppError> {
        let context = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
        self.tenants.load(tenant.uuid()).await?.require_open()?;
        let context = if self.invite.assignment.has_power(tenant, &role).await? {
            context.on_users_of(tenant, PlatformPermission::UsersAppoint)?
        } else {
            context
        };
        self.invite.invite(&context, email, role).await
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
        let context = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
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
        let context = self.on_users_of(context, tenant, PlatformPermission::UsersWrite).await?;
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
        let context = self.on_users_of(context, tenant, PlatformPermission::UsersDelete).await?;
        self.users.remove(&context, id).await
    }

    async fn on_users_of(
        &self,
        context: &RequestContext,
        tenant: TenantId,
        permission: PlatformPermission,
    ) -> Result<RequestContext, AppError> {
        let context = context.on_users_of(tenant, permission)?;
        match self.tenants.load(tenant.uuid()).await? {
            Tenant::Absent => Err(TenantError::NotFound.into()),
            _ => Ok(context),
        }
    }
}
