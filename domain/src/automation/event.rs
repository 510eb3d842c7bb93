use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::TenantId;
use crate::period::DayBorder;

/// When runs start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "every", rename_all = "snake_case")]
pub enum Schedule {
    /// Only when someone starts one.
    Manual,
}

/// What happened to a tenant's automation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum AutomationEvent {
    AutomationDefined { tenant_id: TenantId, day: DayBorder, schedule: Schedule, at: DateTime<Utc> },
}

domain_events!(AutomationEvent { AutomationDefined = "1" });
