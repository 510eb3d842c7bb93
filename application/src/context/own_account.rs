//! What everybody who is signed in may do with the own account.

use domain::ErrorKind;
use domain::access::ReachSet;
use domain::ids::{SessionId, TenantId, UserId};
use uuid::Uuid;

use super::{Actor, RequestContext, TenantScope};
use crate::error::AppError;

/// What stands for the platform where rows name a tenant: the accounts of its staff are kept under it, and nobody else's.
const PLATFORM: Uuid = Uuid::nil();

/// The account of the one who asks. Only [`RequestContext::own_account`] and its likes make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    scope: TenantScope,
    /// Who asks.
    pub user_id: UserId,
    /// The session that it is asked in.
    pub session_id: SessionId,
}

impl OwnAccount {
    /// The user's tenant; the platform's own rows for staff.
    pub fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The request.
    pub fn context(&self) -> &RequestContext {
        &self.scope.context
    }
}

impl RequestContext {
    /// What everybody who is signed in may do with the own account, whatever their role.
    ///
    /// # Errors
    /// `forbidden` for whoever is no user, for staff in a user's name, and for staff without the second factor that their role
    /// needs.
    pub fn own_account(&self) -> Result<OwnAccount, AppError> {
        self.require_own_hands()?;
        self.own_account_to_see()
    }

    /// The same for what changes nothing.
    ///
    /// # Errors
    /// `forbidden` for whoever is no user, and for staff without the second factor that their role needs.
    pub fn own_account_to_see(&self) -> Result<OwnAccount, AppError> {
        if let Actor::User(principal) = &self.actor {
            principal.require_second_factor()?;
        }
        self.who_asks()
    }

    /// The same for what staff may do who have to set up a second factor: that, and signing out.
    ///
    /// # Errors
    /// `forbidden` for whoever is no user, and for staff in a user's name.
    pub fn own_account_before_second_factor(&self) -> Result<OwnAccount, AppError> {
        self.require_own_hands()?;
        self.who_asks()
    }

    /// Who is signed in, to be told so, in whatever situation.
    ///
    /// # Errors
    /// `forbidden` for whoever is no user.
    pub fn who_asks(&self) -> Result<OwnAccount, AppError> {
        let Actor::User(principal) = &self.actor else {
            let detail = "Only someone who signed in has an account of their own.";
            return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
        };
        let context = Self { right: Some("own_account"), ..self.clone() };
        let tenant_id = principal.membership.tenant().unwrap_or(TenantId::from(PLATFORM));
        let scope = TenantScope { tenant_id, reach: ReachSet::ALL, context };
        Ok(OwnAccount { scope, user_id: principal.user_id, session_id: principal.session_id })
    }
}
