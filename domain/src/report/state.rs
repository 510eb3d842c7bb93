use serde::{Deserialize, Serialize};

use super::ReportEvent;
use crate::ids::{RunId, TenantId};

/// The situations of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Not published.
    #[default]
    Absent,
    /// Published.
    Published(Published),
}

/// What later rules need of a published report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The owner.
    pub tenant_id: TenantId,
    /// The run that made it.
    pub run_id: RunId,
}

impl Report {
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "all aggregates evolve alike; this one has one event"
    )]
    pub(super) fn evolve(self, event: ReportEvent) -> Self {
        let ReportEvent::ReportPublished { tenant_id, run_id, .. } = event;
        Self::Published(Published { tenant_id, run_id })
    }
}
