//! A published report: its summary, numbers and where its full text lies.
//!
//! | invariant | where |
//! |---|---|
//! | a run publishes one report: its id derives from the run's | `ReportId::of` |
//! | publishing the same report again changes nothing | `decide::publish` |
//! | the full text is in the tenant's own storage, not in the log | [`PublishReport`] |

mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use decide::{PublishReport, ReportCommand};
pub use error::ReportError;
pub use event::{ReportEvent, ReportKind};
pub use state::{Published, Report};

use crate::event_sourced::EventSourced;
use crate::ids::TenantId;

aggregate!(Report, "report", ReportCommand, ReportEvent, ReportError);

impl EventSourced for Report {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> ReportError {
        ReportError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Published(published) => Some(published.tenant_id),
        }
    }
}
