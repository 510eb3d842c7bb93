use application::ports::read_models::{Found, IntegrationView, Integrations};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::IntegrationsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::parked::rows_and_parked;
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
    async fn found(&self, scope: &TenantScope) -> Result<Found<Vec<IntegrationView>>, PortError> {
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let order = [Column::Kind, Column::Version];
        let (rows, parked) = rows_and_parked(&connection, query, order, scope, IntegrationsProjection::NAME).await?;
        // They come in the order of the names backwards, and the log has them forwards.
        let views: Result<Vec<IntegrationView>, PortError> = rows.into_iter().rev().map(view).collect();
        Ok(Found { item: views?, parked })
    }
}

fn view(row: Model) -> Result<IntegrationView, PortError> {
    Ok(IntegrationView {
        kind: from_text(TABLE, "kind", &row.kind)?,
        version: row.version.cast_unsigned(),
        settings: from_json(TABLE, "settings", row.settings)?,
        secrets: from_json(TABLE, "secrets", row.secrets)?,
        checked: row.checked.map(|checked| from_json(TABLE, "checked", checked)).transpose()?,
        attention: row.attention,
        checked_at: row.checked_at,
        configured_at: row.configured_at,
    })
}
