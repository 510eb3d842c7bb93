use application::ports::read_models::{TenantView, Tenants};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use sea_orm::{DatabaseConnection, EntityTrait};

use super::entity::{Entity, Model};
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
