use application::ports::read_models::{IntegrationView, Integrations};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::text::{from_json, from_text};

const TABLE: &str = "integrations";

/// Reads the table `integrations`.
pub struct IntegrationsReader(Database);

impl IntegrationsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Integrations for IntegrationsReader {
    async fn list(&self, scope: &TenantScope) -> Result<Vec<IntegrationView>, PortError> {
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let rows = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant_id().uuid()))
            .order_by_asc(Column::Kind)
            .all(&connection)
            .await
            .map_err(from_orm)?;
        rows.into_iter().map(view).collect()
    }
}

fn view(row: Model) -> Result<IntegrationView, PortError> {
    Ok(IntegrationView {
        kind: from_text(TABLE, "kind", &row.kind)?,
        version: row.version.cast_unsigned(),
        settings: from_json(TABLE, "settings", row.settings)?,
        secrets: from_json(TABLE, "secrets", row.secrets)?,
        checked: row.checked.map(|checked| from_json(TABLE, "checked", checked)).transpose()?,
    })
}
