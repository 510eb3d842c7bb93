//! A person who signs in.
//!
//! | invariant | where |
//! |---|---|
//! | a user is registered once; repeating the same registration changes nothing | `decide::register` |
//! | an e-mail is unique in the platform, compared in lower case | claim of [`UserEvent::UserRegistered`] |
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
            Self::Active(details) => Some(details.tenant_id),
        }
    }

    fn claims(event: &UserEvent) -> Vec<ClaimChange> {
        match event {
            UserEvent::UserRegistered { email, .. } => {
                let value = email.reveal().to_string();
                vec![ClaimChange::Take { scope: ClaimScope::Platform, kind: "email", value }]
            }
            UserEvent::UserPasswordSet { .. } => Vec::new(),
        }
    }
}
