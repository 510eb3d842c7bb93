use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::report::{Report, ReportEvent};
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::{to_json, to_text};

/// Keeps the table `reports`.
pub struct ReportsProjection;

impl ReportsProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "reports";
}

#[async_trait]
impl Projection for ReportsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Report::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "reports", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: ReportEvent) -> Result<(), DbErr> {
    let ReportEvent::ReportPublished {
        report_id,
        tenant_id,
        run_id,
        kind,
        period,
        headline,
        summary,
        metrics,
        model,
        prompt_version,
        at,
    } = event;
    let row = ActiveModel {
        id: Set(report_id.uuid()),
        tenant_id: Set(tenant_id.uuid()),
        run_id: Set(run_id.uuid()),
        kind: Set(to_text(kind)),
        period_from: Set(period.from),
        period_to: Set(period.to),
        headline: Set(headline.reveal().clone()),
        summary: Set(summary.reveal().clone()),
        metrics: Set(to_json(&metrics)),
        ai_model: Set(model),
        prompt_version: Set(prompt_version.map(u32::cast_signed)),
        published_at: Set(at),
    };
    let unchanged = OnConflict::column(Column::Id).do_nothing().to_owned();
    Entity::insert(row).on_conflict(unchanged).exec_without_returning(transaction).await?;
    Ok(())
}
