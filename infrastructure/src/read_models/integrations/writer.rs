use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::integration::{IntegrationConfig, IntegrationEvent};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_json;

/// Keeps the table `integrations`.
pub struct IntegrationsProjection;

#[async_trait]
impl Projection for IntegrationsProjection {
    fn name(&self) -> &'static str {
        "integrations"
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(IntegrationConfig::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        // Rows are keyed by the kind of service; the aggregate's id is made from it and stands in no column.
        &[Table { name: "integrations", tenant: "tenant_id", aggregate: None }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: IntegrationEvent) -> Result<(), DbErr> {
    match event {
        IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, at } => {
            let row = ActiveModel {
                tenant_id: Set(tenant_id.uuid()),
                kind: Set(settings.kind().name().into()),
                version: Set(version.cast_signed()),
                settings: Set(to_json(&settings)),
                secrets: Set(to_json(&secrets)),
                checked: Set(None),
                checked_at: Set(None),
                configured_at: Set(at),
            };
            let replaced = [
                Column::Version,
                Column::Settings,
                Column::Secrets,
                Column::Checked,
                Column::CheckedAt,
                Column::ConfiguredAt,
            ];
            let key = [Column::TenantId, Column::Kind];
            let replace = OnConflict::columns(key).update_columns(replaced).to_owned();
            Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
        }
        IntegrationEvent::IntegrationChecked { tenant_id, kind, outcome, at, .. } => {
            Entity::update_many()
                .col_expr(Column::Checked, Expr::value(to_json(&outcome)))
                .col_expr(Column::CheckedAt, Expr::value(at))
                .filter(Column::TenantId.eq(tenant_id.uuid()))
                .filter(Column::Kind.eq(kind.name()))
                .exec(transaction)
                .await?;
        }
    }
    Ok(())
}
