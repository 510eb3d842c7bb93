use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::ids::TenantId;
use domain::integration::{CheckOutcome, IntegrationConfig, IntegrationEvent, IntegrationSettings, SecretRef, Trial};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_json;

/// Keeps the table `integrations`.
pub struct IntegrationsProjection;

impl IntegrationsProjection {
    /// Its frozen name.
    pub(super) const NAME: &str = "integrations";
}

#[async_trait]
impl Projection for IntegrationsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(IntegrationConfig::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        // Rows are keyed by the kind of service; the aggregate's id is made from it and stands in no column.
        &[Table { name: "integrations", tenant: "tenant_id", aggregate: None }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: IntegrationEvent) -> Result<(), DbErr> {
    let (row, update) = match event {
        IntegrationEvent::IntegrationConfigured { tenant_id, version, settings, secrets, at, .. }
        | IntegrationEvent::IntegrationAuthorized { tenant_id, version, settings, secrets, at, .. } => {
            return configure(transaction, tenant_id, version, &settings, &secrets, at).await;
        }
        IntegrationEvent::IntegrationTried { tenant_id, kind, version, trial, outcome, counts, at, .. }
            if shows(trial, &outcome, &counts) =>
        {
            // A trial may end after other settings were saved, and says nothing of those.
            // Nor of what is to be done all the same.
            let update = Entity::update_many()
                .filter(Column::Version.eq(version.cast_signed()))
                .col_expr(Column::Checked, Expr::value(to_json(&outcome)))
                .col_expr(Column::CheckedAt, Expr::value(at));
            ((tenant_id, kind), update)
        }
        // What is written goes to the storage: it says nothing of the service that it came from.
        IntegrationEvent::IntegrationTried { .. } | IntegrationEvent::IntegrationWritten { .. } => return Ok(()),
        IntegrationEvent::IntegrationChecked { tenant_id, kind, outcome, attention, at, .. } => {
            let update = Entity::update_many()
                .col_expr(Column::Checked, Expr::value(to_json(&outcome)))
                .col_expr(Column::Attention, Expr::value(attention))
                .col_expr(Column::CheckedAt, Expr::value(at));
            ((tenant_id, kind), update)
        }
        IntegrationEvent::IntegrationTokensRenewed { tenant_id, version, settings, secrets, .. } => {
            let update = Entity::update_many()
                .col_expr(Column::Version, Expr::value(version.cast_signed()))
                .col_expr(Column::Settings, Expr::value(to_json(&settings)))
                .col_expr(Column::Secrets, Expr::value(to_json(&secrets)));
            ((tenant_id, settings.kind()), update)
        }
        IntegrationEvent::IntegrationAccessLost { tenant_id, kind, reason, at, .. } => {
            let update = Entity::update_many()
                .col_expr(Column::Checked, Expr::value(to_json(&CheckOutcome::Failing { reason })))
                .col_expr(Column::Attention, Expr::value(None::<String>))
                .col_expr(Column::CheckedAt, Expr::value(at));
            ((tenant_id, kind), update)
        }
    };
    let (tenant_id, kind) = row;
    let update = update.filter(Column::TenantId.eq(tenant_id.uuid())).filter(Column::Kind.eq(kind.name()));
    update.exec(transaction).await.map(|_| ())
}

/// Whether a trial shows of the service that it tried what a check would. The event does not say whose a failure was, so
/// one counts where no other service was asked.
fn shows(trial: Trial, outcome: &CheckOutcome, counts: &BTreeMap<String, u64>) -> bool {
    match (trial, outcome) {
        (Trial::Deals | Trial::Message, _)
        | (Trial::Schema, CheckOutcome::Failing { .. })
        | (Trial::Analysis | Trial::Report, CheckOutcome::Working) => true,
        // Without deals, no conversation was asked for.
        (Trial::Dialogues, CheckOutcome::Working) => counts.get("deals").is_some_and(|deals| *deals > 0),
        // The schema's trial asks for the version, a check for the tables too.
        (Trial::Schema, CheckOutcome::Working)
        | (Trial::Dialogues | Trial::Analysis | Trial::Report, CheckOutcome::Failing { .. }) => false,
    }
}

/// Keeps the settings; nothing is known of whether they work.
async fn configure(
    transaction: &DatabaseTransaction,
    tenant_id: TenantId,
    version: u32,
    settings: &IntegrationSettings,
    secrets: &[SecretRef],
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        tenant_id: Set(tenant_id.uuid()),
        kind: Set(settings.kind().name().into()),
        version: Set(version.cast_signed()),
        settings: Set(to_json(settings)),
        secrets: Set(to_json(&secrets)),
        checked: Set(None),
        attention: Set(None),
        checked_at: Set(None),
        configured_at: Set(at),
    };
    let replaced = [
        Column::Version,
        Column::Settings,
        Column::Secrets,
        Column::Checked,
        Column::Attention,
        Column::CheckedAt,
        Column::ConfiguredAt,
    ];
    let key = [Column::TenantId, Column::Kind];
    let replace = OnConflict::columns(key).update_columns(replaced).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
    Ok(())
}
