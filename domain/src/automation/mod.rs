//! When a tenant's pipeline runs, and what the tenant calls a day.
//!
//! | invariant | where |
//! |---|---|
//! | a tenant has one automation: its id derives from the tenant's | `AutomationId::of` |
//! | defining what is already defined changes nothing | `decide::define` |

mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{AutomationCommand, DefineAutomation};
pub use error::AutomationError;
pub use event::{AutomationEvent, Schedule};
pub use state::{Automation, Defined};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Automation, "automation", AutomationCommand, AutomationEvent, AutomationError);

impl EventSourced for Automation {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> AutomationError {
        AutomationError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Defined(defined) => Some(defined.tenant_id),
        }
    }
}
