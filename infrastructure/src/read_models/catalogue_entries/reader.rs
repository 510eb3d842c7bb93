use application::ports::access::{AddedEntries, EntryView};
use application::ports::read_models::Found;
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::access::{CatalogueEntry, EntryKind};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::CatalogueEntriesProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::{from_orm, internal};
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::from_text;

const TABLE: &str = "catalogue_entries";

/// Reads the table `catalogue_entries`.
pub struct CatalogueEntriesReader(Database);

impl CatalogueEntriesReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl AddedEntries for CatalogueEntriesReader {
    async fn of_kind(&self, scope: &TenantScope, kind: EntryKind) -> Result<Found<Vec<EntryView>>, PortError> {
        let query =
            Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid())).filter(Column::Kind.eq(kind.name()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) =
            rows_and_parked(&connection, query, [Column::AddedAt, Column::Id], scope, CatalogueEntriesProjection::NAME)
                .await?;
        let item: Result<Vec<EntryView>, PortError> = rows.into_iter().map(view).collect();
        Ok(Found { item: item?, parked })
    }
}

fn view(row: Model) -> Result<EntryView, PortError> {
    let service = row.service.as_deref().map(|name| from_text(TABLE, "service", name)).transpose()?;
    let action = row.action.as_deref().map(|name| from_text(TABLE, "action", name)).transpose()?;
    let entry = match (service, action) {
        (Some(service), Some(action)) => CatalogueEntry::Permission(service, action),
        (Some(service), None) => CatalogueEntry::Service(service),
        (None, Some(action)) => CatalogueEntry::Action(action),
        (None, None) => return Err(internal(format!("{TABLE}: the row {} names nothing", row.id))),
    };
    Ok(EntryView { id: row.id.into(), entry, title: row.title, built_in: false, added_at: row.added_at })
}
