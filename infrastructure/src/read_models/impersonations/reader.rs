use std::collections::HashMap;

use application::ports::impersonations::{ImpersonationView, Impersonations};
use application::ports::read_models::{Cursor, Page, PageRequest};
use application::{PlatformScope, PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::TenantId;
use domain::values::Personal;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::ImpersonationsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx};
use crate::read_models::parked::rows_and_parked;
use crate::read_models::{paging, staff_names};

/// What they are ordered by.
const NEWEST: [Column; 2] = [Column::OpenedAt, Column::Id];

/// Reads the table `impersonations`.
pub struct ImpersonationsReader(Database);

impl ImpersonationsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    async fn listed(
        &self,
        rows: Vec<Model>,
        page: PageRequest,
        parked: u64,
    ) -> Result<Page<ImpersonationView>, PortError> {
        let staff: Vec<Uuid> = rows.iter().map(|row| row.staff_id).collect();
        let names = staff_names(&self.0, &staff).await?;
        let views = rows.into_iter().map(|row| view(row, &names)).collect();
        Ok(paging::page(views, page, parked, |row| Cursor { at: row.opened_at, id: row.id.uuid() }))
    }
}

#[async_trait]
impl Impersonations for ImpersonationsReader {
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ImpersonationView>, PortError> {
        let query = of(scope.tenant_id(), page);
        let (rows, parked) = {
            let connection = self.0.scoped(scope).await.map_err(from_orm)?;
            rows_and_parked(&connection, query, NEWEST, scope, ImpersonationsProjection::NAME).await?
        };
        self.listed(rows, page, parked).await
    }

    async fn of_tenant(
        &self,
        _scope: &PlatformScope,
        tenant: TenantId,
        page: PageRequest,
    ) -> Result<Page<ImpersonationView>, PortError> {
        let newest = of(tenant, page).order_by_desc(NEWEST[0]).order_by_desc(NEWEST[1]);
        let rows = newest.all(&self.0.orm()).await.map_err(from_orm)?;
        let parked = "select count(*) from parked_events where tenant_id = $1 and projection = $2";
        let parked = sqlx::query_scalar(parked).bind(tenant.uuid()).bind(ImpersonationsProjection::NAME);
        let parked: i64 = parked.fetch_one(self.0.pool()).await.map_err(from_sqlx)?;
        self.listed(rows, page, parked.cast_unsigned()).await
    }
}

/// One page of a tenant's.
fn of(tenant: TenantId, page: PageRequest) -> Select<Entity> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.uuid()));
    if let Some(Cursor { at, id }) = page.after {
        let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
        query = query.filter(Expr::cust_with_values("(opened_at, id) < ($1, $2)", values));
    }
    query.limit(paging::rows(page))
}

fn view(row: Model, names: &HashMap<Uuid, String>) -> ImpersonationView {
    ImpersonationView {
        id: row.id.into(),
        staff_id: row.staff_id.into(),
        staff_name: names.get(&row.staff_id).cloned().map(Personal::new),
        user_id: row.user_id.into(),
        reason: row.reason,
        opened_at: row.opened_at,
        until: row.until,
        ended: row.ended_at.zip(row.ended_by.map(Into::into)),
    }
}
