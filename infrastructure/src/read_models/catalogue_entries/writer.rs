use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::access::CatalogueEntry;
use domain::ids::{EntryId, TenantId};
use domain::service_catalogue::{EntryChange, ServiceCatalogue, ServiceCatalogueEvent};
use domain::values::DisplayName;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `catalogue_entries`.
pub struct CatalogueEntriesProjection;

impl CatalogueEntriesProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "catalogue_entries";
}

#[async_trait]
impl Projection for CatalogueEntriesProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(ServiceCatalogue::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "catalogue_entries", tenant: "tenant_id", aggregate: None }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: ServiceCatalogueEvent) -> Result<(), DbErr> {
    let (tenant_id, entry, change, at) = event.parts();
    let id = EntryId::of(tenant_id, &entry).uuid();
    match change {
        EntryChange::Added(title) => add(transaction, tenant_id, entry, title, at).await?,
        EntryChange::Renamed(title) => {
            let update = Entity::update_many().col_expr(Column::Title, Expr::value(title.as_str()));
            update.filter(Column::Id.eq(id)).exec(transaction).await?;
        }
        EntryChange::Removed => {
            Entity::delete_by_id(id).exec(transaction).await?;
        }
    }
    Ok(())
}

async fn add(
    transaction: &DatabaseTransaction,
    tenant_id: TenantId,
    entry: CatalogueEntry,
    title: DisplayName,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let (id, kind) = (EntryId::of(tenant_id, &entry).uuid(), entry.kind().name());
    let (service, action) = match entry {
        CatalogueEntry::Service(service) => (Some(service), None),
        CatalogueEntry::Action(action) => (None, Some(action)),
        CatalogueEntry::Permission(service, action) => (Some(service), Some(action)),
    };
    let row = ActiveModel {
        id: Set(id),
        tenant_id: Set(tenant_id.uuid()),
        kind: Set(kind.to_owned()),
        service: Set(service.map(String::from)),
        action: Set(action.map(String::from)),
        title: Set(title.into()),
        added_at: Set(at),
    };
    let again = OnConflict::column(Column::Id).update_columns([Column::Title, Column::AddedAt]).to_owned();
    Entity::insert(row).on_conflict(again).exec_without_returning(transaction).await?;
    Ok(())
}
