use application::ports::api_keys::{ApiKeyView, ApiKeys};
use application::ports::read_models::{Cursor, Found, Page, PageRequest};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::access::Grant;
use domain::ids::ApiKeyId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Deserialize;

use super::ApiKeysProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;

/// What the keys are ordered by.
const NEWEST: [Column; 2] = [Column::CreatedAt, Column::Id];

/// Reads the table `api_keys`.
pub struct ApiKeysReader(Database);

impl ApiKeysReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl ApiKeys for ApiKeysReader {
    async fn get(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Found<Option<ApiKeyView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, ApiKeysProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ApiKeyView>, PortError> {
        let mut query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(created_at, id) < ($1, $2)", values));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, ApiKeysProjection::NAME).await?;
        let views: Result<Vec<ApiKeyView>, PortError> = rows.into_iter().map(view).collect();
        Ok(paging::page(views?, page, parked, |row| Cursor { at: row.created_at, id: row.id.uuid() }))
    }
}

fn view(row: Model) -> Result<ApiKeyView, PortError> {
    let scopes = Vec::<Grant>::deserialize(row.scopes);
    let unreadable = |error| PortError::internal(format!("api_keys.scopes of {} cannot be read: {error}", row.id));
    Ok(ApiKeyView {
        id: row.id.into(),
        name: row.name,
        scopes: scopes.map_err(unreadable)?,
        created_by: row.created_by.into(),
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked: row.revoked_at.zip(row.revoked_by.map(Into::into)),
    })
}
