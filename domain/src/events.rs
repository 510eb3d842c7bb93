//! All events of all aggregates, as the audit and the golden files see them.

use crate::automation::AutomationEvent;
use crate::integration::IntegrationEvent;
use crate::job_run::JobRunEvent;
use crate::rebuild::RebuildEvent;
use crate::report::ReportEvent;
use crate::tenant::TenantEvent;
use crate::user::UserEvent;

/// The aggregates' type names with the names and current versions of their events.
pub const CATALOGUE: &[(&str, &[(&str, &str)])] = &[
    ("tenant", TenantEvent::NAMES),
    ("user", UserEvent::NAMES),
    ("integration", IntegrationEvent::NAMES),
    ("automation", AutomationEvent::NAMES),
    ("job_run", JobRunEvent::NAMES),
    ("report", ReportEvent::NAMES),
    ("rebuild", RebuildEvent::NAMES),
];
