use async_trait::async_trait;
use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use domain::ids::UserId;
use domain::user::{Membership, User, UserEvent};
use domain::values::{DisplayName, Email, Personal};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};

use super::changes::Changes;
use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::{LoggedEvent, tenant_in_key};
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};

/// Keeps the table `users`.
pub struct UsersProjection;

impl UsersProjection {
    /// Its frozen name.
    pub const NAME: &'static str = "users";
}

#[async_trait]
impl Projection for UsersProjection {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(User::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "users", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        let mut changes = Changes::default();
        for event in events {
            write(transaction, &mut changes, decode(event)?).await?;
        }
        Ok(changes.write(transaction).await?)
    }
}

/// Writes what the event adds or takes away, after the changes before it; a change it leaves for later.
async fn write(transaction: &DatabaseTransaction, changes: &mut Changes, event: UserEvent) -> Result<(), DbErr> {
    match event {
        UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at } => {
            changes.write(transaction).await?;
            let membership = Membership::Tenant { tenant_id, role };
            register(transaction, user_id, membership, email, name, at).await?;
        }
        UserEvent::StaffRegistered { user_id, email, name, role, at } => {
            changes.write(transaction).await?;
            register(transaction, user_id, Membership::Platform { role }, email, name, at).await?;
        }
        UserEvent::UserRemoved { user_id, .. } => {
            changes.write(transaction).await?;
            Entity::delete_by_id(user_id.uuid()).exec(transaction).await?;
        }
        UserEvent::UserRoleChanged { user_id, role, .. } => changes.role(user_id, role.into()),
        UserEvent::StaffRoleChanged { user_id, role, .. } => changes.role(user_id, role.name().to_owned()),
        UserEvent::UserRenamed { user_id, name, .. } => changes.name(user_id, name.reveal().to_string()),
        UserEvent::UserEmailChanged { user_id, email, .. } => {
            change(transaction, user_id, Column::Email, email.reveal().to_string()).await?;
        }
        UserEvent::UserDeactivated { user_id, .. } => change(transaction, user_id, Column::Active, false).await?,
        UserEvent::UserReactivated { user_id, .. } => change(transaction, user_id, Column::Active, true).await?,
        UserEvent::UserPasswordSet { .. }
        | UserEvent::UserPasswordChanged { .. }
        | UserEvent::UserPasswordReset { .. }
        | UserEvent::UserLockedOut { .. } => {}
    }
    Ok(())
}

async fn register(
    transaction: &DatabaseTransaction,
    user: UserId,
    membership: Membership,
    email: Personal<Email>,
    name: Personal<DisplayName>,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(user.uuid()),
        tenant_id: Set(tenant_in_key(membership.tenant())),
        email: Set(email.reveal().to_string()),
        name: Set(name.reveal().to_string()),
        role: Set(membership.role_name().to_owned()),
        registered_at: Set(at),
        active: Set(true),
    };
    let columns = [Column::Email, Column::Name, Column::Role, Column::Active];
    let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
    Ok(())
}

async fn change(
    transaction: &DatabaseTransaction,
    user: UserId,
    column: Column,
    value: impl Into<sea_orm::Value>,
) -> Result<(), DbErr> {
    let update = Entity::update_many().col_expr(column, Expr::value(value)).filter(Column::Id.eq(user.uuid()));
    update.exec(transaction).await?;
    Ok(())
}
