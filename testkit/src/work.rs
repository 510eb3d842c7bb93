//! Long logs, and how much of them the server goes through for an answer, as it counts that itself.

use sqlx::PgPool;

use crate::TestDatabase;

/// What was read of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Scans of the table or of one of its indexes.
    pub looks: i64,
    /// Pages of the table and its indexes, each as often as it was asked for.
    pub pages: i64,
}

/// What the work reads of the log, over a pool of one connection that nobody else uses. Not on PGlite, which shares it.
///
/// # Panics
/// Where the server does not say it.
pub async fn read_of_the_log<T>(pool: &PgPool, work: impl Future<Output = T>) -> (T, Read) {
    let before = counted(pool).await;
    let done = work.await;
    let after = counted(pool).await;
    (done, Read { looks: after.looks - before.looks, pages: after.pages - before.pages })
}

async fn counted(pool: &PgPool) -> Read {
    // What a session has counted is told when it waits for its next statement.
    sqlx::query("select pg_stat_force_next_flush()").execute(pool).await.expect("the server must count");
    let (looks, pages) = sqlx::query_as(
        "select coalesce(seq_scan, 0) + coalesce(idx_scan, 0),
                coalesce(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit, 0)
         from pg_stat_user_tables join pg_statio_user_tables using (relid) where relid = 'events'::regclass",
    )
    .fetch_one(pool)
    .await
    .expect("the server must tell what it has counted");
    Read { looks, pages }
}

impl TestDatabase {
    /// Records one event of a new aggregate that no projection follows.
    ///
    /// # Panics
    /// Where it is not recorded.
    pub async fn record_a_note(&self) {
        let sql =
            "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
                   values ('note', gen_random_uuid()::text, 1, 'Noted', '1', '{}', '{}')";
        sqlx::query(sql).execute(self.pool()).await.expect("a new aggregate can be recorded");
    }

    /// Adds so many events to the log, each of a transaction of its own; for a log in which there are no others.
    ///
    /// # Panics
    /// Where they are not recorded.
    pub async fn fill_the_log(&self, events: i64) {
        let sql = "insert into events (tx, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
                   select n::text::xid8, 'note', 'n' || n, 1, 'Noted', '1', jsonb_build_object('text', repeat('x', 200)), '{}'
                   from (select count(*) from events) as before, generate_series(before.count + 1, before.count + $1) as n";
        sqlx::query(sql).bind(events).execute(self.pool()).await.expect("a new aggregate can be recorded");
    }
}
