//! A gate in the event log of a server: it holds an event back while it is being appended, so that the program can be
//! killed at exactly that moment.

use std::thread;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use testkit::TestDatabase;

use testkit::program::Running;

use crate::program::LOOK_EVERY;

const PATIENCE: Duration = Duration::from_mins(1);

/// What becomes of the event that was being appended when the program died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is recorded, and nobody was told.
    Recorded,
    /// It is lost.
    Lost,
}

/// The gate, and the key that keeps it shut.
pub(crate) struct Gate {
    connection: PgConnection,
    key: i64,
}

impl Gate {
    /// Builds an open gate into the database.
    pub(crate) async fn build(database: &TestDatabase) -> Self {
        let mut connection = PgConnection::connect(&database.url().unwrap()).await.unwrap();
        let key: i64 = sqlx::query_scalar("select hashtextextended(current_schema()::text, 0)")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let gate = format!(
            "create table held (event_type text, step text);
             grant select on held to synkro_system;
             create function hold() returns trigger language plpgsql as $$
             begin
                 if exists (select from held where event_type = new.event_type and step = new.payload->>'step') then
                     perform pg_advisory_xact_lock_shared({key});
                 end if;
                 return new;
             end $$;
             create trigger hold before insert on events for each row execute function hold();"
        );
        sqlx::raw_sql(&gate).execute(&mut connection).await.unwrap();
        Self { connection, key }
    }

    /// Holds back the next such event.
    pub(crate) async fn shut(&mut self, event_type: &str, step: &str) {
        let key = self.key;
        sqlx::query("select pg_advisory_lock($1)").bind(key).execute(&mut self.connection).await.unwrap();
        sqlx::query("insert into held values ($1, $2)")
            .bind(event_type)
            .bind(step)
            .execute(&mut self.connection)
            .await
            .unwrap();
    }

    /// Waits until the program stands before the gate, kills it, and decides over the event.
    pub(crate) async fn kill(&mut self, mut program: Running, fate: Fate) {
        let deadline = Instant::now() + PATIENCE;
        let waiting = loop {
            if let Some(waiting) = self.waiting().await {
                break waiting;
            }
            assert!(!program.has_ended(), "it ended before it came to the gate: {:?}", program.end());
            assert!(Instant::now() < deadline, "it never came to the gate");
            thread::sleep(LOOK_EVERY);
        };
        program.kill();
        if fate == Fate::Lost {
            sqlx::query("select pg_terminate_backend($1, 5000)")
                .bind(waiting)
                .execute(&mut self.connection)
                .await
                .unwrap();
        }
        sqlx::query("delete from held").execute(&mut self.connection).await.unwrap();
        sqlx::query("select pg_advisory_unlock($1)").bind(self.key).execute(&mut self.connection).await.unwrap();
        while self.is_alive(waiting).await {
            assert!(Instant::now() < deadline, "the dead program's connection stays");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// How many such events the log holds.
    pub(crate) async fn recorded(&mut self, event_type: &str, step: Option<&str>) -> i64 {
        sqlx::query_scalar(
            "select count(*) from events where event_type = $1 and ($2 is null or payload->>'step' = $2)",
        )
        .bind(event_type)
        .bind(step)
        .fetch_one(&mut self.connection)
        .await
        .unwrap()
    }

    /// The server process that waits for the gate to open.
    async fn waiting(&mut self) -> Option<i32> {
        sqlx::query_scalar(
            "select pid from pg_locks
             where locktype = 'advisory' and not granted and (classid::bigint << 32) | objid::bigint = $1",
        )
        .bind(self.key)
        .fetch_optional(&mut self.connection)
        .await
        .unwrap()
    }

    async fn is_alive(&mut self, pid: i32) -> bool {
        sqlx::query_scalar("select exists (select from pg_stat_activity where pid = $1)")
            .bind(pid)
            .fetch_one(&mut self.connection)
            .await
            .unwrap()
    }
}
