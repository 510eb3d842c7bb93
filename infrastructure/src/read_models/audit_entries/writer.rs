use async_trait::async_trait;
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Projection, ProjectionError};

/// Keeps the table `audit_entries`.
pub struct AuditProjection;

#[async_trait]
impl Projection for AuditProjection {
    fn name(&self) -> &'static str {
        "audit_entries"
    }

    async fn apply(&self, transaction: &DatabaseTransaction, event: &LoggedEvent) -> Result<(), ProjectionError> {
        let row = ActiveModel {
            tx: Set(event.position.tx.cast_signed()),
            position: Set(event.position.position),
            tenant_id: Set(event.tenant_id),
            recorded_at: Set(event.recorded_at),
            actor_kind: Set(event.circumstance("actor_kind").unwrap_or_default()),
            actor_id: Set(event.circumstance("actor_id").unwrap_or_default()),
            granted_by: Set(event.circumstance("right")),
            event_type: Set(event.event_type.clone()),
            aggregate_type: Set(event.aggregate_type.clone()),
            aggregate_id: Set(event.aggregate_id.clone()),
            sequence: Set(event.sequence),
            request_id: Set(event.circumstance("request_id")),
            correlation_id: Set(event.circumstance("correlation_id")),
            ip: Set(event.circumstance("ip")),
            user_agent: Set(event.circumstance("user_agent")),
        };
        let unchanged = OnConflict::columns([Column::Tx, Column::Position]).do_nothing().to_owned();
        Entity::insert(row).on_conflict(unchanged).exec_without_returning(transaction).await?;
        Ok(())
    }
}
