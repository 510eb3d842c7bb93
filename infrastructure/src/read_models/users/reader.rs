use application::ports::read_models::{Cursor, Found, Page, PageRequest, UserView, Users};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::UserId;
use domain::values::{Email, Personal};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::UsersProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
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
    async fn by_email(&self, email: &Email) -> Result<Option<UserView>, PortError> {
        let query = Entity::find().filter(Column::Email.eq(email.as_str())).filter(Column::Active.eq(true));
        let row = query.one(&self.0.orm()).await.map_err(from_orm)?;
        row.map(view).transpose()
    }

    async fn get(&self, scope: &TenantScope, id: UserId) -> Result<Found<Option<UserView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, UsersProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<UserView>, PortError> {
        let mut query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(registered_at, id) < ($1, $2)", values));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, UsersProjection::NAME).await?;
        let views: Vec<UserView> = rows.into_iter().map(view).collect::<Result<_, _>>()?;
        Ok(paging::page(views, page, parked, |user| Cursor { at: user.registered_at, id: user.id.uuid() }))
    }
}

fn view(row: Model) -> Result<UserView, PortError> {
    Ok(UserView {
        id: row.id.into(),
        tenant_id: row.tenant_id.into(),
        email: Personal::new(row.email),
        name: Personal::new(row.name),
        role: from_text("users", "role", &row.role)?,
        active: row.active,
        registered_at: row.registered_at,
    })
}
