use application::ports::read_models::{TenantView, Tenants};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};

use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::text::from_text;

/// Reads the table `tenants`.
pub struct TenantsReader(DatabaseConnection);

impl TenantsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.orm())
    }

    /// Whether there is a tenant whose slug does not begin so.
    pub async fn any_slug_without_prefix(&self, prefix: &str) -> Result<bool, PortError> {
        let others = Entity::find().filter(Column::Slug.not_like(format!("{prefix}%")));
        Ok(others.count(&self.0).await.map_err(from_orm)? > 0)
    }
}

#[async_trait]
impl Tenants for TenantsReader {
    async fn get(&self, scope: &TenantScope) -> Result<Option<TenantView>, PortError> {
        let row = Entity::find_by_id(scope.tenant_id().uuid()).one(&self.0).await.map_err(from_orm)?;
        row.map(view).transpose()
    }
}

fn view(row: Model) -> Result<TenantView, PortError> {
    let language = from_text("tenants", "language", &row.language)?;
    Ok(TenantView { id: row.id.into(), name: row.name, slug: row.slug, language, status: row.status })
}
