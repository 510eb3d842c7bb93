use application::ports::people::{InvitationStatus, InvitationView, Invitations};
use application::ports::read_models::{Cursor, Found, Page, PageRequest};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::InvitationId;
use domain::values::Personal;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::InvitationsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::from_text;

const TABLE: &str = "invitations";

/// What the invitations are ordered by.
const NEWEST: [Column; 2] = [Column::InvitedAt, Column::Id];

/// Reads the table `invitations`.
pub struct InvitationsReader(Database);

impl InvitationsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Invitations for InvitationsReader {
    async fn get(&self, scope: &TenantScope, id: InvitationId) -> Result<Found<Option<InvitationView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) =
            rows_and_parked(&connection, query, NEWEST, scope, InvitationsProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<InvitationView>, PortError> {
        let mut query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(invited_at, id) < ($1, $2)", values));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, InvitationsProjection::NAME).await?;
        let views: Result<Vec<InvitationView>, PortError> = rows.into_iter().map(view).collect();
        Ok(paging::page(views?, page, parked, |row| Cursor { at: row.invited_at, id: row.id.uuid() }))
    }
}

fn view(row: Model) -> Result<InvitationView, PortError> {
    let status = InvitationStatus::ALL.into_iter().find(|status| status.name() == row.status);
    Ok(InvitationView {
        id: row.id.into(),
        email: Personal::new(row.email),
        role: from_text(TABLE, "role", &row.role)?,
        status: status.ok_or_else(|| PortError::internal(format!("{TABLE}.status of {} is unknown", row.id)))?,
        invited_at: row.invited_at,
        expires_at: row.expires_at,
        user_id: row.user_id.map(Into::into),
    })
}
