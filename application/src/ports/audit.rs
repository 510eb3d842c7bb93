//! What a tenant sees of its own history, out of the log itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::values::Personal;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::commands::LogPosition;
use crate::context::TenantScope;
use crate::error::PortError;

/// Which events are asked for. What is none does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Caused by this user, API key, member of staff or part of Synkro, or by staff in this user's name.
    pub actor: Option<String>,
    /// Of this type of aggregate.
    pub aggregate_type: Option<String>,
    /// Of the aggregate with this id.
    pub aggregate_id: Option<String>,
    /// With this name.
    pub event_type: Option<String>,
    /// Belonging to this request and its consequences.
    pub correlation_id: Option<Uuid>,
    /// Recorded then or later.
    pub since: Option<DateTime<Utc>>,
    /// Recorded then or earlier.
    pub until: Option<DateTime<Utc>>,
}

/// From which end the history is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AuditOrder {
    /// From its end.
    #[default]
    NewestFirst,
    /// From its beginning.
    OldestFirst,
}

/// Which part of the history is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditRequest {
    /// Which events.
    pub filter: AuditFilter,
    /// In which order.
    pub order: AuditOrder,
    /// The event before the first of the page; none for the first page.
    pub after: Option<LogPosition>,
    /// How many events at most.
    pub limit: u64,
}

/// A part of the history. Nothing will ever appear between its events.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage<T> {
    /// The events. Fewer than were asked for, or none, where the filter lets few through; the history then goes on all the same.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last one.
    pub next: Option<LogPosition>,
}

/// Someone or something that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// A user's, a key's or a member of staff's id, or the name of an operator or of a part of Synkro.
    pub id: String,
    /// How people call it, where that is known now.
    pub name: Option<Personal<String>>,
}

/// The circumstances of an event. What is none was not known when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// What kind of actor it was: `user`, `integration`, `staff`, `support`, `system`.
    pub actor_kind: String,
    /// Who acted.
    pub actor: Who,
    /// What the actor was in the company then.
    pub actor_role: Option<String>,
    /// The user in whose name staff acted.
    pub acting_for: Option<Who>,
    /// In which impersonation they did.
    pub impersonation_id: Option<String>,
    /// By which right.
    pub right: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What this and everything else that followed from the same request have in common.
    pub correlation_id: Option<String>,
    /// Of what it is a consequence.
    pub causation_id: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

/// An event of a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log.
    pub position: LogPosition,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The type of its aggregate.
    pub aggregate_type: String,
    /// Its aggregate.
    pub aggregate_id: String,
    /// Its number within the aggregate, from 1.
    pub sequence: u64,
    /// Its frozen name.
    pub event_type: String,
    /// The version of its form.
    pub event_version: String,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// Who did it, when and how.
    pub circumstances: Circumstances,
}

/// A tenant's history.
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// A part of it, behind the horizon of the log. Where the scope shows only the caller's own things, these are the
    /// events that the caller caused.
    async fn page(&self, scope: &TenantScope, request: &AuditRequest) -> Result<AuditPage<AuditEntry>, PortError>;

    /// The event at this position, as far as the scope shows it.
    async fn at(&self, scope: &TenantScope, position: LogPosition) -> Result<Option<AuditEntry>, PortError>;
}
