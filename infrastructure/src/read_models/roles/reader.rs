use application::ports::access::{RoleView, Roles};
use application::ports::read_models::{Cursor, Found, Page, PageRequest};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::RoleId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};

use super::RolesProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::{from_orm, internal};
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::{from_json, from_text};

const TABLE: &str = "roles";

/// What the roles are ordered by.
const NEWEST: [Column; 2] = [Column::DefinedAt, Column::Id];

/// Reads the table `roles`.
pub struct RolesReader(Database);

impl RolesReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Roles for RolesReader {
    async fn get(&self, scope: &TenantScope, id: RoleId) -> Result<Found<Option<RoleView>>, PortError> {
        let query = in_use(scope).filter(Column::Id.eq(id.uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, RolesProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<RoleView>, PortError> {
        let mut query = in_use(scope);
        if let Some(Cursor { at, id }) = page.after {
            query = query.filter(Expr::cust_with_values(
                "(defined_at, id) < ($1, $2)",
                [sea_orm::Value::from(at), sea_orm::Value::from(id)],
            ));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, RolesProjection::NAME).await?;
        let views: Result<Vec<RoleView>, PortError> = rows.into_iter().map(view).collect();
        Ok(paging::page(views?, page, parked, |role| Cursor { at: role.defined_at, id: role.id.uuid() }))
    }
}

fn in_use(scope: &TenantScope) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid())).filter(Column::Removed.eq(false))
}

fn view(row: Model) -> Result<RoleView, PortError> {
    Ok(RoleView {
        id: row.id.into(),
        name: from_text(TABLE, "name", &row.name)?,
        title: row.title,
        level: u8::try_from(row.level).map_err(internal)?,
        permissions: from_json(TABLE, "permissions", row.permissions)?,
        may_manage: from_json(TABLE, "may_manage", row.may_manage)?,
        version: row.version.cast_unsigned(),
        defined_at: row.defined_at,
    })
}
