//! A person who signs in: someone of a company, or of the platform's staff, and never the other one later.
//!
//! | invariant | where |
//! |---|---|
//! | a user is registered once; repeating the same registration changes nothing | `decide::register`, `decide::register_staff` |
//! | an e-mail is unique among those who may sign in, compared in lower case | claims of [`UserEvent::UserRegistered`], [`UserEvent::StaffRegistered`], [`UserEvent::UserEmailChanged`], [`UserEvent::UserDeactivated`], [`UserEvent::UserReactivated`] |
//! | a deactivated user is kept and changed by nothing but reactivation, which needs the e-mail to be free | `decide::reactivate` |
//! | only a deactivated user is removed, and stays so | `decide::remove` |
//! | access tokens of an earlier role, or from before a deactivation, are told by the token version | `decide::change_role`, `decide::change_staff_role`, `decide::deactivate` |
//! | nobody changes the own role on the staff | `decide::change_staff_role` |
//! | companies' people have no role on the staff, and staff none in a company | `decide::change_role`, `decide::change_staff_role` |
//! | the log says when a password was set, never what it is or its hash | [`UserEvent::UserPasswordSet`] |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{RegisterStaff, RegisterUser, UserCommand};
pub use error::UserError;
pub use event::UserEvent;
pub use state::{Membership, User, UserDetails};

use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::TenantId;

/// The kind of the claims on the addresses that users sign in with, unique on the whole platform.
pub const EMAIL_CLAIM: &str = "email";

aggregate!(User, "user", UserCommand, UserEvent, UserError);

impl EventSourced for User {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> UserError {
        UserError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Active(details) | Self::Deactivated(details) | Self::Removed(details) => details.tenant(),
        }
    }

    fn claims(event: &UserEvent) -> Vec<ClaimChange> {
        let (scope, kind) = (ClaimScope::Platform, EMAIL_CLAIM);
        match event {
            UserEvent::UserRegistered { email, .. }
            | UserEvent::StaffRegistered { email, .. }
            | UserEvent::UserReactivated { email, .. } => {
                vec![ClaimChange::Take { scope, kind, value: email.reveal().to_string() }]
            }
            UserEvent::UserDeactivated { email, .. } => {
                vec![ClaimChange::Release { scope, kind, value: email.reveal().to_string() }]
            }
            UserEvent::UserEmailChanged { former, email, .. } => vec![
                ClaimChange::Release { scope, kind, value: former.reveal().to_string() },
                ClaimChange::Take { scope, kind, value: email.reveal().to_string() },
            ],
            UserEvent::UserPasswordSet { .. }
            | UserEvent::UserPasswordChanged { .. }
            | UserEvent::UserPasswordReset { .. }
            | UserEvent::UserRoleChanged { .. }
            | UserEvent::StaffRoleChanged { .. }
            | UserEvent::UserRenamed { .. }
            | UserEvent::UserRemoved { .. }
            | UserEvent::UserLockedOut { .. } => Vec::new(),
        }
    }
}
