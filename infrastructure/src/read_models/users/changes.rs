//! What a batch changes in rows that are there, a statement for each column instead of one for each event. Only of columns that
//! no key is made of: e-mail addresses and whether a user is active change in the order of the events.

use std::collections::BTreeMap;

use domain::ids::UserId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use uuid::Uuid;

/// The last value that each user's column got.
#[derive(Default)]
pub(super) struct Changes {
    name: BTreeMap<Uuid, String>,
    role: BTreeMap<Uuid, String>,
}

impl Changes {
    pub(super) fn name(&mut self, user: UserId, name: String) {
        self.name.insert(user.uuid(), name);
    }

    pub(super) fn role(&mut self, user: UserId, role: String) {
        self.role.insert(user.uuid(), role);
    }

    /// Writes them, and holds none any more.
    pub(super) async fn write(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let Self { name, role } = std::mem::take(self);
        set(transaction, "name", name).await?;
        set(transaction, "role", role).await
    }
}

async fn set(transaction: &DatabaseTransaction, column: &str, values: BTreeMap<Uuid, String>) -> Result<(), DbErr> {
    if values.is_empty() {
        return Ok(());
    }
    let (users, values): (Vec<Uuid>, Vec<String>) = values.into_iter().unzip();
    let sql = format!(
        "update users set {column} = new.value
         from unnest($1::uuid[], $2::text[]) as new (id, value)
         where users.id = new.id"
    );
    let values = [users.into(), values.into()];
    transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
}
