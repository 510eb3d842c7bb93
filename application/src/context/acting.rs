//! Staff of the platform who act in the name of a company's user.

use domain::ErrorKind;
use domain::ids::{ImpersonationId, UserId};
use domain::user::Membership;

use super::{Actor, Principal, RequestContext};
use crate::error::AppError;

/// Who acts in a user's name. The session that the token names is the impersonation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActingStaff {
    /// The member of staff.
    pub staff_id: UserId,
    /// The token version of the member of staff when the token was issued.
    pub token_version: u32,
}

impl Principal {
    /// Who really asks: the user, or the staff in the user's name.
    pub(super) fn hands(&self) -> UserId {
        self.acting.map_or(self.user_id, |acting| acting.staff_id)
    }

    /// Who acts, as the log keeps it: both, where staff act in a user's name.
    pub(super) fn metadata(&self) -> Vec<(&'static str, String)> {
        let kind = match (&self.membership, self.acting) {
            (Membership::Platform { .. }, _) | (_, Some(_)) => "staff",
            (Membership::Tenant { .. }, None) => "user",
        };
        let mut said = vec![
            ("actor_kind", kind.to_owned()),
            ("actor_id", self.hands().to_string()),
            ("actor_role", self.membership.role_name().to_owned()),
        ];
        if self.acting.is_some() {
            said.push(("acting_for", self.user_id.to_string()));
            said.push(("impersonation_id", ImpersonationId::from(self.session_id.uuid()).to_string()));
        }
        said
    }
}

impl RequestContext {
    /// Passes unless staff act in a user's name: for what decides who may do what, and what proves who somebody is.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn require_own_hands(&self) -> Result<(), AppError> {
        match &self.actor {
            Actor::User(principal) if principal.acting.is_some() => {
                let detail =
                    "Nobody may do this in another one's name: ask the user, or an owner of the company, to do it.";
                Err(AppError::new(ErrorKind::Forbidden, "impersonation.not_in_another_s_name", detail))
            }
            Actor::User(_) | Actor::ApiKey { .. } | Actor::System(_) | Actor::Support(_) => Ok(()),
        }
    }
}
