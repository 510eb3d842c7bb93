use serde::{Deserialize, Serialize};

use super::{AutomationEvent, Schedule};
use crate::ids::TenantId;
use crate::period::DayBorder;

/// The situations of a tenant's automation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Automation {
    /// Never defined.
    #[default]
    Absent,
    /// Defined.
    Defined(Defined),
}

/// The definition in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Defined {
    /// The owner.
    pub tenant_id: TenantId,
    /// What the tenant calls a day.
    pub day: DayBorder,
    /// When runs start.
    pub schedule: Schedule,
}

impl Automation {
    /// The definition in force, if any.
    pub fn defined(&self) -> Option<&Defined> {
        match self {
            Self::Absent => None,
            Self::Defined(defined) => Some(defined),
        }
    }

    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "all aggregates evolve alike; this one has one event"
    )]
    pub(super) fn evolve(self, event: AutomationEvent) -> Self {
        let AutomationEvent::AutomationDefined { tenant_id, day, schedule, .. } = event;
        Self::Defined(Defined { tenant_id, day, schedule })
    }
}
