//! A throwaway schema on the server that is measured.

use std::str::FromStr;
use std::sync::Arc;

use application::ports::commands::Commands;
use domain::EventSourced;
use infrastructure::database::Database;
use infrastructure::event_store::{Appender, LogCommands};
use infrastructure::signals::Signal;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::Failure;

/// Connections of the program under measurement: as many as its default.
const CONNECTIONS: u32 = 16;

/// A migrated schema of its own.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) database: Database,
    pub(crate) appender: Appender,
    pub(crate) log: Signal,
    options: PgConnectOptions,
    schema: String,
}

impl Server {
    /// What the figures depend on; an error where the server is not durable.
    pub(crate) async fn conditions(url: &str) -> Result<String, Failure> {
        let mut connection = PgConnection::connect(url).await?;
        let (version, fsync, synchronous): (String, String, String) = sqlx::query_as(
            "select current_setting('server_version'), current_setting('fsync'),
                    current_setting('synchronous_commit')",
        )
        .fetch_one(&mut connection)
        .await?;
        if fsync != "on" || synchronous != "on" {
            return Err("the server is not durable: fsync and synchronous_commit must be on".into());
        }
        let cores = std::thread::available_parallelism()?;
        Ok(format!("PostgreSQL {version}, fsync and synchronous_commit on, {cores} cores shared with the server"))
    }

    #[expect(clippy::disallowed_methods, reason = "a name that nobody else has")]
    pub(crate) async fn create(url: &str) -> Result<Self, Failure> {
        let schema = format!("bench_{}", Uuid::new_v4().simple());
        let plain = PgConnectOptions::from_str(url)?;
        let mut connection = PgConnection::connect_with(&plain).await?;
        sqlx::query(&format!("create schema {schema}")).execute(&mut connection).await?;
        let options = plain.options([("search_path", schema.as_str())]);
        let database = Database::connect_with(options.clone(), CONNECTIONS).await?;
        database.migrate().await?;
        let log = Signal::default();
        let appender = Appender::new(database.clone(), log.clone());
        Ok(Self { database, appender, log, options, schema })
    }

    pub(crate) async fn drop_schema(&self) -> Result<(), Failure> {
        self.database.close().await;
        let mut connection = PgConnection::connect_with(&self.options).await?;
        sqlx::query(&format!("drop schema {} cascade", self.schema)).execute(&mut connection).await?;
        Ok(())
    }

    /// A pool of plain connections to the same schema.
    pub(crate) async fn raw(&self, connections: u32) -> Result<PgPool, Failure> {
        let pool =
            PgPoolOptions::new().max_connections(connections).min_connections(connections).test_before_acquire(false);
        Ok(pool.connect_with(self.options.clone()).await?)
    }

    pub(crate) fn commands<A: EventSourced>(&self) -> Arc<dyn Commands<A>> {
        Arc::new(LogCommands::new(&self.database, self.appender.clone()))
    }
}
