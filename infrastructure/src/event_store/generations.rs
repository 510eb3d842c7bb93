//! Generations of the log: what a restore from a dump begins.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, TryGetable, Value};

use crate::database::Database;

/// The transaction numbers of the newest events, against those that the server has given out.
const IS_AHEAD: &str = "
select exists (
    select from (
        select tx from events
        where generation = (select max(generation) from log_generations)
        order by generation desc, tx desc, position desc
        limit 1
    ) as newest
    where newest.tx >= pg_snapshot_xmax(pg_current_snapshot())
)";

/// The generations of a database's log.
pub struct LogGenerations {
    database: Database,
}

impl LogGenerations {
    /// Of this database's log.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The generation that new events belong to.
    pub async fn current(&self) -> Result<i32, sqlx::Error> {
        sqlx::query_scalar("select max(generation) from log_generations").fetch_one(self.database.pool()).await
    }

    /// True where the log holds events of transactions that the server has not come to: the log came from a dump. Readers
    /// would wait until the server gets there, and new events would come before old ones.
    pub async fn is_restored(&self) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(IS_AHEAD).fetch_one(self.database.pool()).await
    }

    /// Begins a new generation, so that everything that is in the log comes before everything that will be; its number,
    /// or none where the log was not restored from a dump. Nothing may be running on the database.
    pub async fn repair_after_restore(&self, reason: &str) -> Result<Option<i32>, DbErr> {
        let transaction = self.database.begin_as_owner().await?;
        // Nobody else begins one, or appends, between the question and the answer.
        transaction.execute_unprepared("lock table events in access exclusive mode").await?;
        if !answer::<bool>(&transaction, IS_AHEAD, []).await? {
            return Ok(None);
        }
        let insert = "insert into log_generations (generation, reason)
                     select max(generation) + 1, $1 from log_generations
                     returning generation";
        let begun: i32 = answer(&transaction, insert, [reason.into()]).await?;
        // A number of our own counting, so no text of anybody's gets into the statement.
        let continue_with = format!("alter table events alter column generation set default {begun}");
        transaction.execute_unprepared(&continue_with).await?;
        let count_on =
            "select setval(pg_get_serial_sequence('events', 'position'), greatest(max(position), 1)) from events";
        transaction.execute_unprepared(count_on).await?;
        transaction.commit().await?;
        Ok(Some(begun))
    }
}

/// The one value that a statement gives.
async fn answer<T: TryGetable>(
    transaction: &DatabaseTransaction,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<T, DbErr> {
    let row = transaction.query_one(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get_by_index(0)
}
