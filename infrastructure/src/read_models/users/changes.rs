//! What a batch changes in rows that are there, a statement for each column instead of one for each event.

use std::collections::BTreeMap;

use domain::ids::UserId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

/// The last value that each user's column got.
#[derive(Default)]
pub(super) struct Changes {
    email: BTreeMap<Uuid, String>,
    name: BTreeMap<Uuid, String>,
    role: BTreeMap<Uuid, String>,
    active: BTreeMap<Uuid, bool>,
}

impl Changes {
    pub(super) fn email(&mut self, user: UserId, email: String) {
        self.email.insert(user.uuid(), email);
    }

    pub(super) fn name(&mut self, user: UserId, name: String) {
        self.name.insert(user.uuid(), name);
    }

    pub(super) fn role(&mut self, user: UserId, role: String) {
        self.role.insert(user.uuid(), role);
    }

    pub(super) fn active(&mut self, user: UserId, active: bool) {
        self.active.insert(user.uuid(), active);
    }

    /// Writes them, and holds none any more.
    pub(super) async fn write(&mut self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let Self { email, name, role, active } = std::mem::take(self);
        for (column, values) in [("email", email), ("name", name), ("role", role)] {
            set(transaction, column, "text", values).await?;
        }
        set(transaction, "active", "boolean", active).await
    }
}

async fn set<T>(
    transaction: &DatabaseTransaction,
    column: &str,
    kind: &str,
    values: BTreeMap<Uuid, T>,
) -> Result<(), DbErr>
where
    Value: From<Vec<T>>,
{
    if values.is_empty() {
        return Ok(());
    }
    let (users, values): (Vec<Uuid>, Vec<T>) = values.into_iter().unzip();
    let sql = format!(
        "update users set {column} = new.value
         from unnest($1::uuid[], $2::{kind}[]) as new (id, value)
         where users.id = new.id"
    );
    let values = [users.into(), values.into()];
    transaction.execute(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map(|_| ())
}
