use application::ports::read_models::{Cursor, Found, Page, PageRequest, UserView, Users};
use application::{PlatformScope, PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::UserId;
use domain::user::Membership;
use domain::values::Personal;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use super::UsersProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx};
use crate::event_store::{tenant_in_key, tenant_of_key};
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::from_text;

/// What the users are ordered by.
const NEWEST: [Column; 2] = [Column::RegisteredAt, Column::Id];

/// Reads the table `users`.
pub struct UsersReader(Database);

impl UsersReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Users for UsersReader {
    async fn get(&self, scope: &TenantScope, id: UserId) -> Result<Found<Option<UserView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, UsersProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<UserView>, PortError> {
        let query = of(scope.tenant_id().uuid(), page);
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, UsersProjection::NAME).await?;
        listed(rows, page, parked)
    }

    async fn staff(&self, _scope: &PlatformScope, page: PageRequest) -> Result<Page<UserView>, PortError> {
        let newest = of(tenant_in_key(None), page).order_by_desc(NEWEST[0]).order_by_desc(NEWEST[1]);
        let rows = newest.all(&self.0.orm()).await.map_err(from_orm)?;
        let parked = "select count(*) from parked_events where tenant_id is null and projection = $1";
        let parked: i64 =
            sqlx::query_scalar(parked).bind(UsersProjection::NAME).fetch_one(self.0.pool()).await.map_err(from_sqlx)?;
        listed(rows, page, parked.cast_unsigned())
    }
}

/// One page of those who belong there.
fn of(tenant_in_key: Uuid, page: PageRequest) -> Select<Entity> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant_in_key));
    if let Some(Cursor { at, id }) = page.after {
        let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
        query = query.filter(Expr::cust_with_values("(registered_at, id) < ($1, $2)", values));
    }
    query.limit(paging::rows(page))
}

fn listed(rows: Vec<Model>, page: PageRequest, parked: u64) -> Result<Page<UserView>, PortError> {
    let views: Vec<UserView> = rows.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(paging::page(views, page, parked, |user| Cursor { at: user.registered_at, id: user.id.uuid() }))
}

fn view(row: Model) -> Result<UserView, PortError> {
    let membership = match tenant_of_key(row.tenant_id) {
        Some(tenant_id) => Membership::Tenant { tenant_id, role: from_text("users", "role", &row.role)? },
        None => Membership::Platform { role: from_text("users", "role", &row.role)? },
    };
    Ok(UserView {
        id: row.id.into(),
        email: Personal::new(row.email),
        name: Personal::new(row.name),
        membership,
        active: row.active,
        registered_at: row.registered_at,
    })
}
