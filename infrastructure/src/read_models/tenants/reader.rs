use application::ports::read_models::{
    Cursor, Found, Page, PageRequest, TenantFilter, TenantStatus, TenantView, Tenants,
};
use application::{PlatformScope, PortError};
use async_trait::async_trait;
use domain::ids::TenantId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::TenantsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::{from_orm, from_sqlx, internal};
use crate::read_models::paging;
use crate::read_models::text::from_text;

/// Reads the table `tenants`.
pub struct TenantsReader(Database);

impl TenantsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }

    /// Whether there is a tenant whose slug does not begin so.
    pub async fn any_slug_without_prefix(&self, prefix: &str) -> Result<bool, PortError> {
        let others = Entity::find().filter(Column::Slug.not_like(format!("{prefix}%")));
        Ok(others.count(&self.0.orm()).await.map_err(from_orm)? > 0)
    }

    async fn parked(&self) -> Result<u64, PortError> {
        let parked: i64 = sqlx::query_scalar("select count(*) from parked_events where projection = $1")
            .bind(TenantsProjection::NAME)
            .fetch_one(self.0.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(parked.cast_unsigned())
    }
}

#[async_trait]
impl Tenants for TenantsReader {
    async fn get(&self, _scope: &PlatformScope, id: TenantId) -> Result<Found<Option<TenantView>>, PortError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.0.orm()).await.map_err(from_orm)?;
        Ok(Found { item: row.map(view).transpose()?, parked: self.parked().await? })
    }

    async fn list(
        &self,
        _scope: &PlatformScope,
        filter: &TenantFilter,
        page: PageRequest,
    ) -> Result<Page<TenantView>, PortError> {
        let mut query = Entity::find().limit(paging::rows(page));
        if let Some(status) = filter.status {
            query = query.filter(Column::Status.eq(status.name()));
        }
        if let Some(text) = &filter.text {
            let part = "(position(lower($1) in lower(name)) > 0 or position(lower($1) in slug) > 0)";
            query = query.filter(Expr::cust_with_values(part, [text.clone()]));
        }
        if let Some(Cursor { at, id }) = page.after {
            let values = [sea_orm::Value::from(at), sea_orm::Value::from(id)];
            query = query.filter(Expr::cust_with_values("(provisioned_at, id) < ($1, $2)", values));
        }
        let newest = query.order_by_desc(Column::ProvisionedAt).order_by_desc(Column::Id);
        let rows = newest.all(&self.0.orm()).await.map_err(from_orm)?;
        let parked = self.parked().await?;
        let views = rows.into_iter().map(view).collect::<Result<Vec<_>, PortError>>()?;
        let cursor = |tenant: &TenantView| Cursor { at: tenant.provisioned_at, id: tenant.id.uuid() };
        Ok(paging::page(views, page, parked, cursor))
    }
}

fn view(row: Model) -> Result<TenantView, PortError> {
    let status = TenantStatus::ALL.into_iter().find(|status| status.name() == row.status);
    Ok(TenantView {
        id: row.id.into(),
        name: row.name,
        slug: row.slug,
        language: from_text("tenants", "language", &row.language)?,
        status: status.ok_or_else(|| internal(format!("tenants.status holds {:?}", row.status)))?,
        provisioned_at: row.provisioned_at,
    })
}
