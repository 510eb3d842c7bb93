use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::ids::TenantId;
use domain::tenant::{Tenant, TenantEvent};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_text;

/// Keeps the table `tenants`.
pub struct TenantsProjection;

impl TenantsProjection {
    /// Its frozen name.
    pub const NAME: &'static str = "tenants";
}

#[async_trait]
impl Projection for TenantsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Tenant::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "tenants", tenant: "id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: TenantEvent) -> Result<(), DbErr> {
    match event {
        TenantEvent::TenantProvisioned { tenant_id, name, slug, language, at } => {
            let row = ActiveModel {
                id: Set(tenant_id.uuid()),
                name: Set(name.into()),
                slug: Set(slug.into()),
                language: Set(to_text(language)),
                status: Set("provisioning".into()),
                provisioned_at: Set(at),
            };
            let columns = [Column::Name, Column::Slug, Column::Language, Column::Status];
            let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
            Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
        }
        TenantEvent::TenantRenamed { tenant_id, name, .. } => {
            set(transaction, tenant_id, Column::Name, name.as_str()).await?;
        }
        TenantEvent::TenantActivated { tenant_id, .. } | TenantEvent::TenantResumed { tenant_id, .. } => {
            set(transaction, tenant_id, Column::Status, "active").await?;
        }
        TenantEvent::TenantSuspended { tenant_id, .. } => {
            set(transaction, tenant_id, Column::Status, "suspended").await?;
        }
        TenantEvent::TenantOffboardingBegun { tenant_id, .. } => {
            set(transaction, tenant_id, Column::Status, "offboarding").await?;
        }
        TenantEvent::TenantClosed { tenant_id, .. } => set(transaction, tenant_id, Column::Status, "closed").await?,
        TenantEvent::TenantExported { .. } => {}
    }
    Ok(())
}

async fn set(transaction: &DatabaseTransaction, id: TenantId, column: Column, value: &str) -> Result<(), DbErr> {
    let one = Entity::update_many().col_expr(column, Expr::value(value)).filter(Column::Id.eq(id.uuid()));
    one.exec(transaction).await?;
    Ok(())
}
