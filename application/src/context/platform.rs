//! What may be done about the platform itself: by its staff, and by those who work at its terminal.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::{PlatformPermission, Rights};
use domain::ids::{TenantId, UserId};
use domain::user::Membership;

use super::{Actor, Principal, RequestContext};
use crate::error::AppError;
use crate::ports::clock::Ids;

/// The platform's own things and companies as a whole, by a right that was checked. Only
/// [`RequestContext::authorize_platform`] makes one. It opens nothing that companies' people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformScope {
    context: RequestContext,
}

impl PlatformScope {
    /// The request, for decisions about the platform's own things.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The request, for decisions about this company as a whole.
    pub fn about(&self, tenant: TenantId) -> RequestContext {
        RequestContext { tenant: Some(tenant), ..self.context.clone() }
    }

    /// Who on the staff asks; none for those who work at the terminal.
    pub fn staff_member(&self) -> Option<UserId> {
        match &self.context.actor {
            Actor::User(principal) => Some(principal.user_id),
            Actor::ApiKey { .. } | Actor::System(_) | Actor::Support(_) => None,
        }
    }
}

impl Principal {
    /// Passes for companies' users, and for staff with a second factor.
    ///
    /// # Errors
    /// `forbidden` for staff who have to set up an authenticator app first.
    pub(super) fn require_second_factor(&self) -> Result<(), AppError> {
        match self.membership {
            Membership::Platform { .. } if !self.second_factor => {
                let detail = "Set up an authenticator app and then refresh the session: the staff work with one only.";
                Err(AppError::new(ErrorKind::Forbidden, "totp.enrolment_required", detail))
            }
            Membership::Platform { .. } | Membership::Tenant { .. } => Ok(()),
        }
    }
}

impl RequestContext {
    /// The platform's scope, where staff have the right. Those who work at the terminal have every right.
    ///
    /// # Errors
    /// `forbidden` for everybody else, and for staff without the right or without a second factor.
    pub fn authorize_platform(&self, permission: PlatformPermission) -> Result<PlatformScope, AppError> {
        let right = match &self.actor {
            Actor::Support(_) => self.right,
            Actor::User(principal) => {
                let role = principal.membership.staff_role().ok_or_else(staff_needed)?;
                principal.require_second_factor()?;
                if !role.allows(permission) {
                    let name = permission.name();
                    let detail = format!("Your role {role} does not have the right {name}; ask a super_admin.");
                    return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
                }
                Some(permission.name())
            }
            Actor::ApiKey { .. } | Actor::System(_) => return Err(staff_needed()),
        };
        Ok(PlatformScope { context: Self { tenant: None, right, ..self.clone() } })
    }

    /// The request for work on the users of one company, and on nothing else of it, where staff have the right.
    ///
    /// # Errors
    /// As for [`Self::authorize_platform`].
    pub fn on_users_of(&self, tenant: TenantId, permission: PlatformPermission) -> Result<Self, AppError> {
        let context = self.authorize_platform(permission)?.about(tenant);
        Ok(Self { rights: Arc::new(Rights::only(permission.lends())), ..context })
    }

    /// The id of a tenant that the request makes: a repeat of the request gets the same one, and so finds what it made.
    pub fn new_tenant_id(&self, ids: &dyn Ids) -> TenantId {
        match &self.receipt {
            Some(receipt) => TenantId::of_request(&self.actor.id(), receipt.key.as_str()),
            None => ids.next().into(),
        }
    }

    /// The request for making this company: by staff who have the right, by those who work at the terminal, and by parts of
    /// Synkro that work for it.
    ///
    /// # Errors
    /// As for [`Self::authorize_platform`].
    pub fn for_new_tenant(&self, tenant: TenantId) -> Result<Self, AppError> {
        match &self.actor {
            Actor::System(_) => Ok(self.clone()),
            Actor::User(_) | Actor::ApiKey { .. } | Actor::Support(_) => {
                Ok(self.authorize_platform(PlatformPermission::TenantsWrite)?.about(tenant))
            }
        }
    }
}

fn staff_needed() -> AppError {
    let detail = "Only the platform's staff may do this.";
    AppError::new(ErrorKind::Forbidden, "access.forbidden", detail)
}

/// The refusal of what takes someone of a company.
pub(crate) fn company_needed() -> AppError {
    let detail = "The platform's staff belong to no company, and have no rights in one.";
    AppError::new(ErrorKind::Forbidden, "access.forbidden", detail)
}
