use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::ids::TenantId;
use domain::session::{Session, SessionEvent};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_text;

/// Keeps the table `sessions`.
pub struct SessionsProjection;

impl SessionsProjection {
    /// Its frozen name.
    pub const NAME: &'static str = "sessions";
}

#[async_trait]
impl Projection for SessionsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Session::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "sessions", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: SessionEvent) -> Result<(), DbErr> {
    match event {
        SessionEvent::SessionOpened { session_id, user_id, tenant_id, method, user_agent, ip, ends_at, at } => {
            let row = ActiveModel {
                id: Set(session_id.uuid()),
                tenant_id: Set(tenant_id.map_or(Uuid::nil(), TenantId::uuid)),
                user_id: Set(user_id.uuid()),
                method: Set(to_text(method)),
                user_agent: Set(user_agent.map(|user_agent| user_agent.reveal().clone())),
                ip: Set(ip.map(|ip| ip.reveal().clone())),
                opened_at: Set(at),
                ends_at: Set(ends_at),
                ended_at: Set(None),
                reason: Set(None),
            };
            let stays = OnConflict::column(Column::Id).do_nothing().to_owned();
            Entity::insert(row).on_conflict(stays).exec_without_returning(transaction).await?;
        }
        SessionEvent::SessionRevoked { session_id, reason, at, .. } => {
            Entity::update_many()
                .col_expr(Column::EndedAt, Expr::value(at))
                .col_expr(Column::Reason, Expr::value(to_text(reason)))
                .filter(Column::Id.eq(session_id.uuid()))
                .exec(transaction)
                .await?;
        }
    }
    Ok(())
}
