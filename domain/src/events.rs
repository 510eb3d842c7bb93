//! All events of all aggregates, as the audit and the golden files see them.

use crate::api_key::ApiKeyEvent;
use crate::automation::AutomationEvent;
use crate::data_key_rotation::DataKeyRotationEvent;
use crate::impersonation::ImpersonationEvent;
use crate::integration::IntegrationEvent;
use crate::invitation::InvitationEvent;
use crate::job_run::JobRunEvent;
use crate::kek_rotation::KekRotationEvent;
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
    ("kek_rotation", KekRotationEvent::NAMES),
    ("data_key_rotation", DataKeyRotationEvent::NAMES),
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
    ("SessionOpened", &["ip", "user_agent"]),
    ("UserInvited", &["email"]),
    ("InvitationProposed", &["email"]),
    ("InvitationRevoked", &["email"]),
    ("InvitationAccepted", &["email"]),
    ("ReportPublished", &["headline", "summary", "metrics.agents[].name"]),
    ("IntegrationTried", &["answer"]),
];

/// The fields of events in which people, or those who run connected services, say what they like.
///
/// One word of it is no word of ours: it may be somebody's name. Fields that are personal are not repeated here.
pub const FREE_TEXT: &[(&str, &[&str])] = &[
    ("TenantProvisioned", &["name"]),
    ("TenantRenamed", &["name"]),
    ("TenantSuspended", &["reason"]),
    ("TenantOffboardingBegun", &["reason"]),
    ("TotpReset", &["reason"]),
    ("ImpersonationOpened", &["reason"]),
    ("RebuildStarted", &["reason"]),
    ("ApiKeyCreated", &["name"]),
    ("RoleDefined", &["title"]),
    ("RoleChanged", &["title"]),
    ("ServiceAdded", &["title"]),
    ("ServiceChanged", &["title"]),
    ("ActionAdded", &["title"]),
    ("ActionChanged", &["title"]),
    ("PermissionAdded", &["title"]),
    ("PermissionChanged", &["title"]),
    ("IntegrationConfigured", &["settings.prompt"]),
    ("IntegrationChecked", &["outcome.reason", "attention"]),
    ("IntegrationTried", &["outcome.reason"]),
    ("IntegrationWritten", &["outcome.reason"]),
    ("IntegrationAccessLost", &["reason"]),
    ("StepFailed", &["failure.message", "failure.advice"]),
    ("RunFailed", &["failure.message", "failure.advice"]),
];

/// The fields of events that hold amounts of money.
pub const MONEY: &[(&str, &[&str])] = &[
    ("AiUsed", &["cost.amount_minor"]),
    ("IntegrationConfigured", &["settings.input_price_minor", "settings.output_price_minor"]),
];

/// Whether the field of the event holds an amount of money.
pub fn is_money(event_type: &str, field: &str) -> bool {
    MONEY.iter().any(|(name, fields)| *name == event_type && fields.contains(&field))
}

/// Whether the field of the event holds free text.
pub fn is_free_text(event_type: &str, field: &str) -> bool {
    FREE_TEXT.iter().any(|(name, fields)| *name == event_type && fields.contains(&field))
}

/// Whether the field of the event holds data about a person.
pub fn is_personal(event_type: &str, field: &str) -> bool {
    PERSONAL.iter().any(|(name, fields)| *name == event_type && fields.contains(&field))
}
