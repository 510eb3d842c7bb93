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

/// The fields of events that hold data about a person, [`Personal`](crate::values::Personal) in the events themselves. A
/// field of an item of a list is written `list[].field`.
pub const PERSONAL: &[(&str, &[&str])] =
    &[("UserRegistered", &["email", "name"]), ("ReportPublished", &["headline", "summary", "metrics.agents[].name"])];

/// Whether the field of the event holds data about a person.
pub fn is_personal(event_type: &str, field: &str) -> bool {
    PERSONAL.iter().any(|(name, fields)| *name == event_type && fields.contains(&field))
}
