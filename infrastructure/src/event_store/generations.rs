//! Generations of the log: what a restore from a dump begins.

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
    pub async fn repair_after_restore(&self, reason: &str) -> Result<Option<i32>, sqlx::Error> {
        let mut transaction = self.database.pool().begin().await?;
        // Nobody else begins one, or appends, between the question and the answer.
        sqlx::query("lock table events in access exclusive mode").execute(&mut *transaction).await?;
        if !sqlx::query_scalar::<_, bool>(IS_AHEAD).fetch_one(&mut *transaction).await? {
            return Ok(None);
        }
        let begun: i32 = sqlx::query_scalar(
            "insert into log_generations (generation, reason)
             select max(generation) + 1, $1 from log_generations
             returning generation",
        )
        .bind(reason)
        .fetch_one(&mut *transaction)
        .await?;
        // A number of our own counting, so no text of anybody's gets into the statement.
        sqlx::query(&format!("alter table events alter column generation set default {begun}"))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "select setval(pg_get_serial_sequence('events', 'position'), greatest(max(position), 1)) from events",
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(begun))
    }
}
