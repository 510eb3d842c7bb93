use std::collections::HashMap;

use application::ports::read_models::{Cursor, Page, PageRequest};
use application::ports::sessions::{SessionView, Sessions};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::UserId;
use domain::values::Personal;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, Statement};
use uuid::Uuid;

use super::SessionsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::{Database, Scoped};
use crate::error::from_orm;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::from_text;

/// Open: not ended, and with a token that can still be used.
const OPEN: &str = "ended_at is null and exists (
    select from refresh_tokens t
    where t.session_id = sessions.id and t.used_at is null and t.expires_at > $1 and t.ends_at > $1)";

/// What the sessions are ordered by.
const NEWEST: [Column; 2] = [Column::OpenedAt, Column::Id];

/// Reads the table `sessions`.
pub struct SessionsReader(Database);

impl SessionsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Sessions for SessionsReader {
    async fn list(
        &self,
        scope: &TenantScope,
        user: UserId,
        now: DateTime<Utc>,
        page: PageRequest,
    ) -> Result<Page<SessionView>, PortError> {
        let mut query = Entity::find()
            .filter(Column::TenantId.eq(scope.tenant_id().uuid()))
            .filter(Column::UserId.eq(user.uuid()))
            .filter(Expr::cust_with_values(OPEN, [sea_orm::Value::from(now)]));
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(opened_at, id) < ($1, $2)", values));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, SessionsProjection::NAME).await?;
        let seen = last_seen(&connection, scope, user).await?;
        let views: Vec<SessionView> = rows.into_iter().map(|row| view(row, &seen)).collect::<Result<_, _>>()?;
        Ok(paging::page(views, page, parked, |view| Cursor { at: view.opened_at, id: view.id.uuid() }))
    }
}

async fn last_seen(
    connection: &Scoped,
    scope: &TenantScope,
    user: UserId,
) -> Result<HashMap<Uuid, DateTime<Utc>>, PortError> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select session_id, last_seen_at from session_activity where tenant_id = $1 and user_id = $2",
        [scope.tenant_id().uuid().into(), user.uuid().into()],
    );
    let rows = connection.query_all(statement).await.map_err(from_orm)?;
    let pair = |row: &sea_orm::QueryResult| Ok((row.try_get("", "session_id")?, row.try_get("", "last_seen_at")?));
    rows.iter().map(pair).collect::<Result<_, _>>().map_err(from_orm)
}

fn view(row: Model, seen: &HashMap<Uuid, DateTime<Utc>>) -> Result<SessionView, PortError> {
    Ok(SessionView {
        id: row.id.into(),
        method: from_text("sessions", "method", &row.method)?,
        user_agent: row.user_agent,
        ip: row.ip.map(Personal::new),
        opened_at: row.opened_at,
        last_seen_at: seen.get(&row.id).copied().unwrap_or(row.opened_at),
        ends_at: row.ends_at,
    })
}
