//! A member of the platform's staff acting in one tenant's name, as one of its users, for a while and for a reason.
//!
//! It belongs to the tenant: its events are in the tenant's own history.
//!
//! | invariant | where |
//! |---|---|
//! | it lasts from one minute to an hour | `decide::open` |
//! | it says why | [`OpenImpersonation::reason`] |
//! | once ended or out of time it allows nothing, and is never opened again | [`Impersonation::allows_at`], `decide::open` |

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{ImpersonationCommand, OpenImpersonation};
pub use decide::{LONGEST, SHORTEST};
pub use error::ImpersonationError;
pub use event::ImpersonationEvent;
pub use state::{Impersonation, ImpersonationDetails};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Impersonation, "impersonation", ImpersonationCommand, ImpersonationEvent, ImpersonationError);

impl EventSourced for Impersonation {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> ImpersonationError {
        ImpersonationError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.details().map(|details| details.tenant_id)
    }
}
