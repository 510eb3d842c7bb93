use async_trait::async_trait;
use cqrs_es::{Aggregate, DomainEvent};
use domain::integration::{IntegrationConfig, IntegrationEvent};
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_json;

/// Keeps the table `integration_records`.
pub struct IntegrationRecordsProjection;

impl IntegrationRecordsProjection {
    /// Its frozen name.
    pub(super) const NAME: &str = "integration_records";
}

#[async_trait]
impl Projection for IntegrationRecordsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(IntegrationConfig::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        // Rows are keyed by the kind of service; the aggregate's id is made from it and stands in no column.
        &[Table { name: "integration_records", tenant: "tenant_id", aggregate: None }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, event, &decode(event)?).await?;
        }
        Ok(())
    }
}

/// Checks and tokens are not kept here: they come with every save and every day, and the newest is in `integrations`.
async fn write(transaction: &DatabaseTransaction, logged: &LoggedEvent, event: &IntegrationEvent) -> Result<(), DbErr> {
    let (tenant_id, kind) = match event {
        IntegrationEvent::IntegrationConfigured { tenant_id, settings, .. } => (tenant_id, settings.kind()),
        IntegrationEvent::IntegrationTried { tenant_id, kind, .. }
        | IntegrationEvent::IntegrationWritten { tenant_id, kind, .. } => (tenant_id, *kind),
        IntegrationEvent::IntegrationChecked { .. }
        | IntegrationEvent::IntegrationAuthorized { .. }
        | IntegrationEvent::IntegrationTokensRenewed { .. }
        | IntegrationEvent::IntegrationAccessLost { .. } => return Ok(()),
    };
    let row = ActiveModel {
        tenant_id: Set(tenant_id.uuid()),
        kind: Set(kind.name().into()),
        sequence: Set(logged.sequence),
        event_type: Set(event.event_type()),
        event: Set(to_json(event)),
        recorded_at: Set(logged.recorded_at),
    };
    let key = [Column::TenantId, Column::Kind, Column::Sequence];
    let keep = OnConflict::columns(key).update_columns([Column::Event, Column::RecordedAt]).to_owned();
    Entity::insert(row).on_conflict(keep).exec_without_returning(transaction).await?;
    Ok(())
}
