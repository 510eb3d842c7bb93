use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::user::{User, UserEvent};
use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Set};

use super::entity::{ActiveModel, Column, Entity};
use crate::event_store::LoggedEvent;
use crate::projections::{Follows, Projection, ProjectionError, Table, decode};
use crate::read_models::text::to_text;

/// Keeps the table `users`.
pub struct UsersProjection;

#[async_trait]
impl Projection for UsersProjection {
    fn name(&self) -> &'static str {
        "users"
    }

    fn follows(&self) -> Follows {
        Follows::Aggregate(User::TYPE)
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "users", tenant: "tenant_id", aggregate: Some("id") }]
    }

    async fn apply(&self, transaction: &DatabaseTransaction, events: &[&LoggedEvent]) -> Result<(), ProjectionError> {
        for event in events {
            write(transaction, decode(event)?).await?;
        }
        Ok(())
    }
}

async fn write(transaction: &DatabaseTransaction, event: UserEvent) -> Result<(), DbErr> {
    let UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at } = event else {
        return Ok(());
    };
    let row = ActiveModel {
        id: Set(user_id.uuid()),
        tenant_id: Set(tenant_id.uuid()),
        email: Set(email.reveal().to_string()),
        name: Set(name.reveal().to_string()),
        role: Set(to_text(role)),
        registered_at: Set(at),
    };
    let columns = [Column::Email, Column::Name, Column::Role];
    let replace = OnConflict::column(Column::Id).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(transaction).await?;
    Ok(())
}
