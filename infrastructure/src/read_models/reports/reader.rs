use application::ports::read_models::{Cursor, Found, Page, PageRequest, ReportView, Reports};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::ReportId;
use domain::period::Period;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::ReportsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::{from_json, from_text};

const TABLE: &str = "reports";

/// Reads the table `reports`.
pub struct ReportsReader(DatabaseConnection);

impl ReportsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.orm())
    }
}

#[async_trait]
impl Reports for ReportsReader {
    async fn get(&self, scope: &TenantScope, id: ReportId) -> Result<Option<Found<ReportView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let (mut rows, parked) = rows_and_parked(&self.0, query, scope, ReportsProjection::NAME).await?;
        let item = rows.pop().map(view).transpose()?;
        Ok(item.map(|item| Found { item, parked }))
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ReportView>, PortError> {
        let mut query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            query = query.filter(Expr::cust_with_values(
                "(published_at, id) < ($1, $2)",
                [sea_orm::Value::from(at), sea_orm::Value::from(id)],
            ));
        }
        query = query.order_by_desc(Column::PublishedAt).order_by_desc(Column::Id).limit(paging::rows(page));
        let (rows, parked) = rows_and_parked(&self.0, query, scope, ReportsProjection::NAME).await?;
        let views: Result<Vec<ReportView>, PortError> = rows.into_iter().map(view).collect();
        Ok(paging::page(views?, page, parked, |report| Cursor { at: report.published_at, id: report.id.uuid() }))
    }
}

fn view(row: Model) -> Result<ReportView, PortError> {
    Ok(ReportView {
        id: row.id.into(),
        run_id: row.run_id.into(),
        kind: from_text(TABLE, "kind", &row.kind)?,
        period: Period { from: row.period_from, to: row.period_to },
        headline: row.headline,
        summary: row.summary,
        metrics: from_json(TABLE, "metrics", row.metrics)?,
        model: row.ai_model,
        published_at: row.published_at,
    })
}
