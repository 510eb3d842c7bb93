//! Who signs in with which address.

use application::PortError;
use application::ports::identity::EmailOwners;
use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::ids::UserId;
use domain::user::{EMAIL_CLAIM, User};
use domain::values::Email;
use uuid::Uuid;

use crate::database::Database;
use crate::error::from_sqlx;
use crate::event_store::tenant_in_key;

/// Whose addresses are, by the claims that travel with the events about users.
pub struct PgEmailOwners(Database);

impl PgEmailOwners {
    /// Over this database.
    pub fn new(database: &Database) -> Self {
        Self(database.clone())
    }
}

#[async_trait]
impl EmailOwners for PgEmailOwners {
    async fn owner_of(&self, email: &Email) -> Result<Option<UserId>, PortError> {
        let sql = "select aggregate_id::uuid from claims
                   where tenant_id = $1 and kind = $2 and value = $3 and aggregate_type = $4";
        let owner: Option<Uuid> = sqlx::query_scalar(sql)
            .bind(tenant_in_key(None))
            .bind(EMAIL_CLAIM)
            .bind(email.as_str())
            .bind(User::TYPE)
            .fetch_optional(self.0.pool())
            .await
            .map_err(from_sqlx)?;
        Ok(owner.map(Into::into))
    }
}
