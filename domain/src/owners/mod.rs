//! The owners of a tenant. One stream holds them all, because only one stream can refuse that two leave at once of
//! whom each believes that the other stays.
//!
//! | invariant | where |
//! |---|---|
//! | the last owner stays | `dismiss` |
//! | appointing or dismissing twice changes nothing | `appoint`, `dismiss` |
//!
//! Whoever takes the role `owner` from a person, or closes the account, dismisses the person here first; whoever gives
//! it appoints the person here afterwards. Cut off between the two, this list has fewer owners than there are, and so
//! refuses too much and never too little; doing it again mends it.

mod state;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use state::Owners;

use crate::error::{Classified, ErrorKind};
use crate::event_sourced::EventSourced;
use crate::ids::{TenantId, UserId};

/// What can be asked of the list of owners.
#[derive(Debug, Clone, Copy)]
pub enum OwnersCommand {
    /// A person is an owner from now on.
    Appoint {
        /// The tenant.
        tenant_id: TenantId,
        /// The person.
        user_id: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
    /// A person is no owner any more.
    Dismiss {
        /// The tenant.
        tenant_id: TenantId,
        /// The person.
        user_id: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// What happened to the list of owners.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum OwnersEvent {
    OwnerAppointed { tenant_id: TenantId, user_id: UserId, at: DateTime<Utc> },
    OwnerDismissed { tenant_id: TenantId, user_id: UserId, at: DateTime<Utc> },
}

domain_events!(OwnersEvent { OwnerAppointed = "1", OwnerDismissed = "1" });

/// Why the list of owners refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnersError {
    /// Nobody would be left.
    #[error("a company cannot be without an owner; appoint another one first")]
    Last,
    /// The company has never had one.
    #[error("this company has no list of owners yet")]
    NotFound,
}

impl Classified for OwnersError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Last => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Last => "owners.last",
            Self::NotFound => "owners.not_found",
        }
    }
}

aggregate!(Owners, "owners", OwnersCommand, OwnersEvent, OwnersError);

impl EventSourced for Owners {
    fn exists(&self) -> bool {
        self.tenant().is_some()
    }

    fn absent() -> OwnersError {
        OwnersError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Present(tenant_id, _) => Some(*tenant_id),
        }
    }
}
