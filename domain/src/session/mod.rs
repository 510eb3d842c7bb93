//! A sign-in on one device, from the password to its end.
//!
//! | invariant | where |
//! |---|---|
//! | a session is opened once, for one user of one tenant | `decide::open` |
//! | a session that ended stays ended, for the first reason | `decide::revoke` |
//! | the log never holds a token of a session, nor its hash | [`SessionEvent`] |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{OpenSession, SessionCommand};
pub use error::SessionError;
pub use event::{RevocationReason, SessionEvent, SignInMethod};
pub use state::{Session, SessionDetails};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Session, "session", SessionCommand, SessionEvent, SessionError);

impl EventSourced for Session {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> SessionError {
        SessionError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Open(details) | Self::Revoked(details) => details.tenant_id,
        }
    }
}
