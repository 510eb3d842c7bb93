//! An invitation of a person into a company, from the mail to the account.
//!
//! | invariant | where |
//! |---|---|
//! | an address is invited once at a time into a company | claims of [`InvitationEvent::UserInvited`] and [`InvitationEvent::InvitationProposed`] |
//! | an invitation is accepted once, in its time, unless it was revoked | `decide::accept` |
//! | one that was only proposed is accepted after the company has sent it | `decide::accept` |
//! | accepting again changes nothing, so that what follows from it can be repeated | `decide::accept` |
//! | the user's id is that of the invitation, so one invitation makes one user | [`UserId::of_invitation`](crate::ids::UserId::of_invitation) |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{InvitationCommand, InviteUser};
pub use error::InvitationError;
pub use event::InvitationEvent;
pub use state::{Invitation, InvitationDetails};

use crate::event_sourced::{ClaimChange, ClaimScope, EventSourced};
use crate::ids::TenantId;

aggregate!(Invitation, "invitation", InvitationCommand, InvitationEvent, InvitationError);

impl EventSourced for Invitation {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> InvitationError {
        InvitationError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.details().map(|details| details.tenant_id)
    }

    fn claims(event: &InvitationEvent) -> Vec<ClaimChange> {
        let kind = "email";
        match event {
            InvitationEvent::UserInvited { tenant_id, email, .. }
            | InvitationEvent::InvitationProposed { tenant_id, email, .. } => {
                let scope = ClaimScope::Tenant(*tenant_id);
                vec![ClaimChange::Take { scope, kind, value: email.reveal().to_string() }]
            }
            InvitationEvent::InvitationAccepted { tenant_id, email, .. }
            | InvitationEvent::InvitationRevoked { tenant_id, email, .. } => {
                let scope = ClaimScope::Tenant(*tenant_id);
                vec![ClaimChange::Release { scope, kind, value: email.reveal().to_string() }]
            }
            InvitationEvent::InvitationResent { .. } => Vec::new(),
        }
    }
}
