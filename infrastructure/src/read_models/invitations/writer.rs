use application::ports::people::InvitationStatus;
use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::ids::InvitationId;
use domain::invitation::{Invitation, InvitationEvent, InviteUser};
use sea_orm::sea_query::{Expr, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `invitations`.
pub struct InvitationsProjection;

impl InvitationsProjection {
    /// The projection's frozen name.
    pub(super) const NAME: &str = "invitations";
}

#[async_trait]
impl Projection for InvitationsProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(Invitation::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "invitations", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: InvitationEvent) -> Result<(), DbErr> {
    let status = |status: InvitationStatus| (Column::Status, Expr::value(status.name()));
    match event {
        InvitationEvent::UserInvited { invitation_id, tenant_id, email, role, expires_at, at } => {
            let new = InviteUser { invitation_id, tenant_id, email, role, expires_at, at };
            insert(transaction, new, InvitationStatus::Open).await
        }
        InvitationEvent::InvitationProposed { invitation_id, tenant_id, email, role, expires_at, at } => {
            let new = InviteUser { invitation_id, tenant_id, email, role, expires_at, at };
            insert(transaction, new, InvitationStatus::Proposed).await
        }
        InvitationEvent::InvitationResent { invitation_id, expires_at, .. } => {
            let end = (Column::ExpiresAt, Expr::value(expires_at));
            update(transaction, invitation_id, vec![status(InvitationStatus::Open), end]).await
        }
        InvitationEvent::InvitationRevoked { invitation_id, .. } => {
            update(transaction, invitation_id, vec![status(InvitationStatus::Revoked)]).await
        }
        InvitationEvent::InvitationAccepted { invitation_id, user_id, .. } => {
            let user = (Column::UserId, Expr::value(user_id.uuid()));
            update(transaction, invitation_id, vec![status(InvitationStatus::Accepted), user]).await
        }
    }
}

async fn insert(transaction: &DatabaseTransaction, new: InviteUser, status: InvitationStatus) -> Result<(), DbErr> {
    let InviteUser { invitation_id, tenant_id, email, role, expires_at, at } = new;
    let row = ActiveModel {
        id: Set(invitation_id.uuid()),
        tenant_id: Set(tenant_id.uuid()),
        email: Set(email.reveal().to_string()),
        role: Set(role.into()),
        status: Set(status.name().to_owned()),
        invited_at: Set(at),
        expires_at: Set(expires_at),
        user_id: Set(None),
    };
    let known = OnConflict::column(Column::Id).do_nothing().to_owned();
    Entity::insert(row).on_conflict(known).exec_without_returning(transaction).await?;
    Ok(())
}

async fn update(
    transaction: &DatabaseTransaction,
    id: InvitationId,
    changes: Vec<(Column, SimpleExpr)>,
) -> Result<(), DbErr> {
    let update = Entity::update_many().filter(Column::Id.eq(id.uuid()));
    let update = changes.into_iter().fold(update, |update, (column, value)| update.col_expr(column, value));
    update.exec(transaction).await?;
    Ok(())
}
