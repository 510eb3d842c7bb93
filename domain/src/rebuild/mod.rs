//! Building a read model anew from the log, or looking whether that would change it.
//!
//! | invariant | where |
//! |---|---|
//! | it is started once | `decide::start` |
//! | whoever exchanges tables says why | `decide::start` |
//! | it ends once; the same ending again changes nothing | `decide::finish` |
//! | a verification exchanges nothing | `decide::finish` |
//!
//! One of a tenant's rows belongs to that tenant, so that it stands in the tenant's own audit; one of all rows belongs to
//! the platform. One whose process was killed never ends; the next one is a rebuild of its own.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::{FinishRebuild, RebuildCommand, StartRebuild};
pub use error::RebuildError;
pub use event::{RebuildEvent, RebuildGoal, RebuildOutcome, RebuildScope};
pub use state::{Rebuild, RebuildDetails};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Rebuild, "rebuild", RebuildCommand, RebuildEvent, RebuildError);

impl EventSourced for Rebuild {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> RebuildError {
        RebuildError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        self.details().and_then(|details| details.scope.tenant())
    }
}
