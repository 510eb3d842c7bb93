//! A person who signs in.
//!
//! | invariant | where |
//! |---|---|
//! | a user is registered once; repeating the same registration changes nothing | `decide::register` |
//! | an e-mail is unique among those who may sign in, compared in lower case | claims of [`UserEvent::UserRegistered`], [`UserEvent::UserEmailChanged`], [`UserEvent::UserDeactivated`], [`UserEvent::UserReactivated`] |
//! | a deactivated user is kept and changed by nothing but reactivation, which needs the e-mail to be free | `decide::reactivate` |
//! | access tokens of an earlier role, or from before a deactivation, are told by the token version | `decide::change_role`, `decide::deactivate` |
//! | the log says when a password was set, never what it is or its hash | [`UserEvent::UserPasswordSet`] |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{RegisterUser, UserCommand};
pub use error::UserError;
pub use event::UserEvent;
pub use state::{User, UserDetails};

use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::TenantId;

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
            Self::Active(details) | Self::Deactivated(details) => Some(details.tenant_id),
        }
    }

    fn claims(event: &UserEvent) -> Vec<ClaimChange> {
        let (scope, kind) = (ClaimScope::Platform, "email");
        match event {
            UserEvent::UserRegistered { email, .. } | UserEvent::UserReactivated { email, .. } => {
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
            | UserEvent::UserRenamed { .. }
            | UserEvent::UserLockedOut { .. } => Vec::new(),
        }
    }
}
