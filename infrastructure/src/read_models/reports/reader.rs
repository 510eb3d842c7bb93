use application::ports::read_models::{Cursor, Found, Page, PageRequest, ReportView, Reports};
use application::{PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::ReportId;
use domain::period::Period;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::ReportsProjection;
use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::paging;
use crate::read_models::parked::rows_and_parked;
use crate::read_models::text::{from_json, from_text};

const TABLE: &str = "reports";

/// What the reports are ordered by.
const NEWEST: [Column; 2] = [Column::PublishedAt, Column::Id];

/// Reads the table `reports`.
pub struct ReportsReader(Database);

impl ReportsReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl Reports for ReportsReader {
    async fn get(&self, scope: &TenantScope, id: ReportId) -> Result<Found<Option<ReportView>>, PortError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (mut rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, ReportsProjection::NAME).await?;
        Ok(Found { item: rows.pop().map(view).transpose()?, parked })
    }

    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ReportView>, PortError> {
        let mut query = Entity::find().filter(Column::TenantId.eq(scope.tenant_id().uuid()));
        if let Some(Cursor { at, id }) = page.after {
            query = query.filter(Expr::cust_with_values(
                "(published_at, id) < ($1, $2)",
                [sea_orm::Value::from(at), sea_orm::Value::from(id)],
            ));
        }
        query = query.limit(paging::rows(page));
        let connection = self.0.scoped(scope).await.map_err(from_orm)?;
        let (rows, parked) = rows_and_parked(&connection, query, NEWEST, scope, ReportsProjection::NAME).await?;
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
        prompt_version: row.prompt_version.map(i32::cast_unsigned),
        published_at: row.published_at,
    })
}
