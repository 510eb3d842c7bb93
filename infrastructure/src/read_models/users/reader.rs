use application::PortError;
use application::ports::read_models::{UserView, Users};
use async_trait::async_trait;
use domain::ids::UserId;
use domain::values::{Email, Personal};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};

use super::entity::{Column, Entity, Model};
use crate::database::Database;
use crate::error::from_orm;
use crate::read_models::text::from_text;

/// Reads the table `users`.
pub struct UsersReader(DatabaseConnection);

impl UsersReader {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.orm())
    }
}

#[async_trait]
impl Users for UsersReader {
    async fn by_email(&self, email: &Email) -> Result<Option<UserView>, PortError> {
        let row = Entity::find().filter(Column::Email.eq(email.as_str())).one(&self.0).await.map_err(from_orm)?;
        row.map(view).transpose()
    }

    async fn get(&self, id: UserId) -> Result<Option<UserView>, PortError> {
        let row = Entity::find_by_id(id.uuid()).one(&self.0).await.map_err(from_orm)?;
        row.map(view).transpose()
    }
}

fn view(row: Model) -> Result<UserView, PortError> {
    Ok(UserView {
        id: row.id.into(),
        tenant_id: row.tenant_id.into(),
        email: Personal::new(row.email),
        name: Personal::new(row.name),
        role: from_text("users", "role", &row.role)?,
    })
}
