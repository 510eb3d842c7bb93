//! A throwaway, migrated database for one test: a schema of its own on a server, or an embedded PGlite in a temporary
//! folder.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use application::ports::clock::{Clock, Ids};
use application::ports::commands::LogPosition;
use application::ports::read_models::Progress;
use chrono::TimeDelta;
use domain::EventSourced;
use infrastructure::crypto::{Keks, KeyRing, PgVault};
use infrastructure::database::{Database, Mode};
use infrastructure::event_store::{Appender, LogCommands, LogReader};
use infrastructure::projections::{Checkpoints, Projection, ProjectionRunner};
use infrastructure::read_models;
use infrastructure::signals::Signal;
use infrastructure::staging::PgStaging;
use infrastructure::step_queue::PgStepQueue;
use infrastructure::system::{SystemClock, SystemIds};
use sea_orm::{ConnectionTrait, DbErr};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, PgPool};

use crate::settings::{BACKEND, DATABASE_URL, setting};

/// Connections of one test; a server allows a hundred over all tests that run side by side.
const CONNECTIONS: u32 = 16;

/// Test schemas are named by UUIDs of version 7, which begin with their time.
const SCHEMA_PREFIX: &str = "synkro_test_";

/// Schemas of tests that were killed are removed after this time.
const LEFTOVER_AFTER: TimeDelta = TimeDelta::hours(1);

/// How long a test waits for the read models; other tests' open transactions may hold the log's readers back.
const PATIENCE: Duration = Duration::from_secs(20);

/// A key-encryption key for tests, in base64: 32 bytes, all 7.
pub const TEST_KEK: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A database that lives as long as this value.
pub struct TestDatabase {
    database: Database,
    place: Place,
    log: Signal,
    progressed: Signal,
}

enum Place {
    Schema { server: Box<PgConnectOptions>, url: String, name: String },
    Folder { _folder: tempfile::TempDir },
}

impl TestDatabase {
    /// A migrated database. PGlite where `SYNKRO_TEST_BACKEND` is `embedded`, else a schema on the server.
    ///
    /// # Panics
    /// Where there is no such database, or the migrations fail.
    pub async fn new() -> Self {
        let test = Self::unmigrated().await;
        test.database.migrate().await.expect("the migrations must apply to an empty database");
        test
    }

    /// A database with nothing in it.
    ///
    /// # Panics
    /// Where there is no database to be had.
    pub async fn unmigrated() -> Self {
        let (database, place) = match setting(BACKEND).as_deref() {
            None | Some("server") => schema(server_url()).await,
            Some("embedded") => folder().await,
            Some(other) => panic!("{BACKEND} is {other:?}; it must be `server`, `embedded` or absent"),
        };
        Self { database, place, log: Signal::default(), progressed: Signal::default() }
    }

    /// A migrated schema on the tests' server, also where other tests use PGlite: for processes that share a database.
    ///
    /// # Panics
    /// Where no server is set up, or the migrations fail.
    pub async fn on_a_server() -> Self {
        Self::on(server_url()).await
    }

    /// A migrated schema on the server at this address.
    ///
    /// # Panics
    /// Where it does not answer, or the migrations fail.
    pub async fn on(url: String) -> Self {
        let (database, place) = schema(url).await;
        database.migrate().await.expect("the migrations must apply to an empty schema");
        Self { database, place, log: Signal::default(), progressed: Signal::default() }
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its pool, for looking behind the adapters.
    pub fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Runs statements as the login, which owns the tables: what no part of the system may do.
    ///
    /// # Panics
    /// Where one fails.
    pub async fn as_owner(&self, statements: &str) {
        self.try_as_owner(statements).await.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// The same, where it may fail.
    pub async fn try_as_owner(&self, statements: &str) -> Result<(), DbErr> {
        let transaction = self.database.begin_as_owner().await?;
        transaction.execute_unprepared(statements).await?;
        transaction.commit().await
    }

    /// True on PGlite, which has one connection and one process.
    pub fn is_embedded(&self) -> bool {
        self.database.mode() == Mode::Embedded
    }

    /// The same database as another process sees it, over a pool of its own; none on PGlite.
    ///
    /// # Panics
    /// Where the server does not answer any more.
    pub async fn another_process(&self) -> Option<Database> {
        let Place::Schema { server, name, .. } = &self.place else { return None };
        Some(connect(server, name).await)
    }

    /// The address of this database, schema included, for a program to be started; none on PGlite.
    pub fn url(&self) -> Option<String> {
        let Place::Schema { url, name, .. } = &self.place else { return None };
        let separator = if url.contains('?') { '&' } else { '?' };
        Some(format!("{url}{separator}options=-c%20search_path%3D{name}"))
    }

    /// The signal that the appender gives.
    pub fn log(&self) -> Signal {
        self.log.clone()
    }

    /// The signal that the read models give.
    pub fn progressed(&self) -> Signal {
        self.progressed.clone()
    }

    /// What appends.
    pub fn appender(&self) -> Appender {
        Appender::new(self.database.clone(), self.log())
    }

    /// Commands of one kind of aggregate.
    pub fn commands<A: EventSourced>(&self) -> LogCommands<A> {
        LogCommands::new(&self.database, self.appender())
    }

    /// A reader of the log.
    pub fn reader(&self) -> LogReader {
        LogReader::new(self.database.clone())
    }

    /// The checkpoints of all projections.
    pub fn checkpoints(&self) -> Checkpoints {
        self.checkpoints_of(&read_models::all())
    }

    /// The checkpoints of these projections.
    pub fn checkpoints_of(&self, projections: &[Arc<dyn Projection>]) -> Checkpoints {
        Checkpoints::new(self.database.clone(), self.progressed(), projections)
    }

    /// What feeds projections.
    pub fn runner(&self) -> ProjectionRunner {
        ProjectionRunner::new(self.database.clone(), self.checkpoints(), self.log())
    }

    /// Feeds all projections until they have seen every event that is in the log now.
    pub async fn catch_up(&self) {
        self.catch_up_with(&read_models::all()).await;
    }

    /// Feeds these projections until they have seen every event that is in the log now.
    ///
    /// One pass is not enough: the horizon of a server's log is held back by open transactions of other tests too.
    ///
    /// # Panics
    /// Where a projection fails, or does not get there in time.
    pub async fn catch_up_with(&self, projections: &[Arc<dyn Projection>]) {
        let Some(last) = self.last_position().await else { return };
        let (runner, checkpoints) = (self.runner(), self.checkpoints_of(projections));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            runner.catch_up(projections).await.expect("no projection may fail");
            let passed = checkpoints.passed(last, Duration::from_millis(5)).await;
            if passed.expect("the checkpoints must be readable") {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "the read models did not get to {last:?} in time");
        }
    }

    /// The place of the last event of the log.
    ///
    /// # Panics
    /// Where the log cannot be read.
    pub async fn last_position(&self) -> Option<LogPosition> {
        let last: Option<(i32, i64, i64)> = sqlx::query_as(
            "select generation, tx::text::bigint, position from events
             order by generation desc, events.tx desc, position desc limit 1",
        )
        .fetch_optional(self.pool())
        .await
        .expect("the log must be readable");
        last.map(|(generation, tx, position)| LogPosition { generation, tx: tx.cast_unsigned(), position })
    }

    /// The tenants' keys under [`TEST_KEK`].
    pub fn key_ring(&self) -> Arc<KeyRing> {
        self.key_ring_under(TEST_KEK)
    }

    /// The tenants' keys under key-encryption keys of 32 bytes in base64, one a line.
    ///
    /// # Panics
    /// Where one is none.
    pub fn key_ring_under(&self, keks: &str) -> Arc<KeyRing> {
        Arc::new(KeyRing::new(self.database.clone(), Self::keks(keks)))
    }

    /// Key-encryption keys of 32 bytes in base64, one a line.
    ///
    /// # Panics
    /// Where one is none.
    pub fn keks(text: &str) -> Arc<Keks> {
        Arc::new(Keks::parse(text).expect("a test's keys must be some"))
    }

    /// The staging store.
    pub fn staging(&self, clock: Arc<dyn Clock>) -> PgStaging {
        PgStaging::new(self.database.clone(), self.key_ring(), clock)
    }

    /// The vault.
    pub fn vault(&self) -> PgVault {
        PgVault::new(self.database.clone(), self.key_ring())
    }

    /// The queue of steps.
    pub fn step_queue(&self) -> PgStepQueue {
        PgStepQueue::new(self.database.clone(), self.checkpoints(), self.progressed())
    }
}

impl Drop for TestDatabase {
    /// Removes the schema. A schema that cannot be removed now, because something still works in it, is a leftover
    /// that a later test removes.
    fn drop(&mut self) {
        let Place::Schema { server, name, .. } = &self.place else { return };
        let (server, name) = (server.clone(), name.clone());
        // The test's own runtime cannot be waited for from here.
        let _ = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(remove(&server, &[name]))
        })
        .join();
    }
}

fn server_url() -> String {
    setting(DATABASE_URL).unwrap_or_else(|| {
        panic!("{DATABASE_URL} is not set; run scripts/test, which sets up the servers that the tests need")
    })
}

async fn schema(url: String) -> (Database, Place) {
    // Nothing that a test writes has to survive a crash of the server.
    let server = PgConnectOptions::from_str(&url)
        .unwrap_or_else(|_| panic!("the address of the tests' server is no PostgreSQL address"))
        .options([("synchronous_commit", "off")]);
    let name = format!("{SCHEMA_PREFIX}{}", SystemIds.next().simple());
    prepare(&server, &name).await.unwrap_or_else(|error| panic!("no schema on the tests' server: {error}"));
    (connect(&server, &name).await, Place::Schema { server: Box::new(server), url, name })
}

async fn connect(server: &PgConnectOptions, schema: &str) -> Database {
    let options = server.clone().options([("search_path", schema)]);
    Database::connect_with(options, CONNECTIONS).await.expect("the server answered a moment ago")
}

/// Makes the schema, after removing what killed tests left behind.
async fn prepare(server: &PgConnectOptions, name: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(server).await?;
    let hour_ago = (SystemClock.now() - LEFTOVER_AFTER).timestamp_millis();
    let newest_leftover = uuid::Builder::from_unix_timestamp_millis(hour_ago.cast_unsigned(), &[0; 10]).into_uuid();
    let leftovers: Vec<String> =
        sqlx::query_scalar("select nspname::text from pg_namespace where nspname >= $1 and nspname < $2 limit 20")
            .bind(SCHEMA_PREFIX)
            .bind(format!("{SCHEMA_PREFIX}{}", newest_leftover.simple()))
            .fetch_all(&mut connection)
            .await?;
    sqlx::query(&format!("create schema {name}")).execute(&mut connection).await?;
    connection.close().await?;
    if !leftovers.is_empty() {
        // Several tests may be at it at once; each schema goes to one of them, and the others need not know.
        let _ = remove(server, &leftovers).await;
    }
    Ok(())
}

async fn remove(server: &PgConnectOptions, schemas: &[String]) -> Result<(), sqlx::Error> {
    let options = server.clone().options([("lock_timeout", "2s"), ("client_min_messages", "warning")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    for schema in schemas {
        // With the generations of read models that were rebuilt from it.
        let generations: Vec<String> =
            sqlx::query_scalar("select nspname::text from pg_namespace where starts_with(nspname::text, $1)")
                .bind(schema)
                .fetch_all(&mut connection)
                .await?;
        for generation in generations {
            sqlx::query(&format!("drop schema if exists {generation} cascade")).execute(&mut connection).await?;
        }
    }
    connection.close().await
}

async fn folder() -> (Database, Place) {
    let folder = tempfile::tempdir().expect("the system must have a folder for temporary files");
    let database = Database::embedded(folder.path()).await.expect("PGlite must start in an empty folder");
    (database, Place::Folder { _folder: folder })
}
