//! All events of all aggregates, as the audit and the golden files see them.

use crate::api_key::ApiKeyEvent;
use crate::automation::AutomationEvent;
use crate::impersonation::ImpersonationEvent;
use crate::integration::IntegrationEvent;
use crate::invitation::InvitationEvent;
use crate::job_run::JobRunEvent;
use crate::owners::OwnersEvent;
use crate::rebuild::RebuildEvent;
use crate::report::ReportEvent;
use crate::role::RoleEvent;
use crate::second_factor::SecondFactorEvent;
use crate::service_catalogue::ServiceCatalogueEvent;
use crate::session::SessionEvent;
use crate::super_admins::SuperAdminsEvent;
use crate::tenant::TenantEvent;
use crate::user::UserEvent;

/// The aggregates' type names with the names and current versions of their events.
pub const CATALOGUE: &[(&str, &[(&str, &str)])] = &[
    ("tenant", TenantEvent::NAMES),
    ("user", UserEvent::NAMES),
    ("session", SessionEvent::NAMES),
    ("invitation", InvitationEvent::NAMES),
    ("second_factor", SecondFactorEvent::NAMES),
    ("integration", IntegrationEvent::NAMES),
    ("automation", AutomationEvent::NAMES),
    ("job_run", JobRunEvent::NAMES),
    ("report", ReportEvent::NAMES),
    ("rebuild", RebuildEvent::NAMES),
    ("impersonation", ImpersonationEvent::NAMES),
    ("role", RoleEvent::NAMES),
    ("service_catalogue", ServiceCatalogueEvent::NAMES),
    ("owners", OwnersEvent::NAMES),
    ("super_admins", SuperAdminsEvent::NAMES),
    ("api_key", ApiKeyEvent::NAMES),
];

/// The fields of events that hold data about a person, [`Personal`](crate::values::Personal) in the events themselves. A
/// field of an item of a list is written `list[].field`.
pub const PERSONAL: &[(&str, &[&str])] = &[
    ("UserRegistered", &["email", "name"]),
    ("StaffRegistered", &["email", "name"]),
    ("UserRenamed", &["name"]),
    ("UserDeactivated", &["email"]),
    ("UserReactivated", &["email"]),
    ("UserEmailChanged", &["email", "former"]),
    ("SessionOpened", &["ip"]),
    ("UserInvited", &["email"]),
    ("InvitationRevoked", &["email"]),
    ("InvitationAccepted", &["email"]),
    ("ReportPublished", &["headline", "summary", "metrics.agents[].name"]),
];

/// Whether the field of the event holds data about a person.
pub fn is_personal(event_type: &str, field: &str) -> bool {
    PERSONAL.iter().any(|(name, fields)| *name == event_type && fields.contains(&field))
}
