use application::ports::commands::LogPosition;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use crate::event_store::LoggedEvent;
use crate::event_store::position::parameters;
use crate::projections::{Follows, Projection, ProjectionError, SetBased, Table};

/// Keeps the table `audit_entries`.
pub struct AuditProjection;

/// An entry says nothing that its event does not, so the database makes it without a detour.
const ENTRIES: SetBased = SetBased {
    insert: "
insert into audit_entries (
    generation, tx, position, tenant_id, recorded_at, actor_kind, actor_id, granted_by, event_type, aggregate_type, aggregate_id,
    sequence, request_id, correlation_id, ip, user_agent
)
select generation, tx::text::bigint, position, tenant_id, recorded_at,
       coalesce(metadata ->> 'actor_kind', ''), coalesce(metadata ->> 'actor_id', ''), metadata ->> 'right',
       event_type, aggregate_type, aggregate_id, sequence,
       metadata ->> 'request_id', metadata ->> 'correlation_id', metadata ->> 'ip', metadata ->> 'user_agent'
from events",
    ending: "on conflict do nothing",
};

#[async_trait]
impl Projection for AuditProjection {
    fn name(&self) -> &'static str {
        "audit_entries"
    }

    fn follows(&self) -> Follows {
        Follows::Everything
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "audit_entries", tenant: "tenant_id", aggregate: Some("aggregate_id") }]
    }

    fn set_based(&self) -> Option<SetBased> {
        Some(ENTRIES)
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let (from, to) = (first.position, last.position);
        let before_first = LogPosition { position: from.position - 1, ..from };
        let values = [parameters(before_first), parameters(to)].concat();
        let every = ENTRIES.statement((before_first, to), "");
        transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, every, values)).await?;
        Ok(())
    }
}
