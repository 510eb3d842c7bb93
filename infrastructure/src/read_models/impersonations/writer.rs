use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::impersonation::{Impersonation, ImpersonationEvent};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `impersonations`.
pub struct ImpersonationsProjection;

impl ImpersonationsProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "impersonations";
}

#[async_trait]
impl Projection for ImpersonationsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Impersonation::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "impersonations", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: ImpersonationEvent) -> Result<(), DbErr> {
    match event {
        ImpersonationEvent::ImpersonationOpened {
            impersonation_id,
            tenant_id,
            staff_id,
            user_id,
            reason,
            until,
            at,
        } => {
            let row = ActiveModel {
                id: Set(impersonation_id.uuid()),
                tenant_id: Set(tenant_id.uuid()),
                staff_id: Set(staff_id.uuid()),
                user_id: Set(user_id.uuid()),
                reason: Set(reason.to_string()),
                opened_at: Set(at),
                until: Set(until),
                ended_at: Set(None),
                ended_by: Set(None),
            };
            let known = OnConflict::column(Column::Id).do_nothing().to_owned();
            Entity::insert(row).on_conflict(known).exec_without_returning(transaction).await?;
        }
        ImpersonationEvent::ImpersonationEnded { impersonation_id, ended_by, at, .. } => {
            let update = Entity::update_many().filter(Column::Id.eq(impersonation_id.uuid()));
            let update = update.col_expr(Column::EndedAt, Expr::value(at));
            update.col_expr(Column::EndedBy, Expr::value(ended_by.uuid())).exec(transaction).await?;
        }
    }
    Ok(())
}
