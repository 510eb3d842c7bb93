//! PostgreSQL, on a server or inside this process. One pool serves sqlx, sea-orm and postgres-es.

#[cfg(feature = "embedded")]
mod embedded;

use std::str::FromStr;
use std::time::Duration;

use migrations::Migrator;
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, RuntimeErr, SqlxPostgresConnector,
    TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

/// A session that holds a transaction open and does nothing holds all readers of the log back; the server ends it.
const IDLE_IN_TRANSACTION: &str = "30s";

/// How long to wait for a free connection before the database counts as out of reach.
const ACQUIRE: Duration = Duration::from_secs(10);

/// How long a connection that was used is trusted to be alive.
pub(crate) const TRUSTED: Duration = Duration::from_millis(500);

/// The advisory lock that lets one process migrate at a time.
const MIGRATION_LOCK: i64 = 0x5359_4e4b_524f;

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is not one.
    #[error("DATABASE_URL is not a PostgreSQL address; expected postgres://user@host:5432/database")]
    Address(#[source] sqlx::Error),
    /// Nobody answers, or it refuses.
    #[error("PostgreSQL at {at} does not answer; check DATABASE_URL and that the server runs")]
    Connect {
        /// Host and port, without credentials.
        at: String,
        /// The cause.
        #[source]
        source: sqlx::Error,
    },
    /// The embedded database does not start.
    #[error("the embedded database in {folder} does not start; is another synkro using the folder?")]
    Embedded {
        /// The data folder.
        folder: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A migration failed.
    #[error("the database schema could not be brought up to date")]
    Migrate(#[source] sea_orm::DbErr),
}

/// Which PostgreSQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A server of its own; several processes may share it.
    Server,
    /// Inside this process, on one connection.
    Embedded,
}

/// An open database.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    mode: Mode,
    #[cfg(feature = "embedded")]
    _engine: Option<std::sync::Arc<embedded::Engine>>,
}

impl Database {
    /// Connects to a server with up to `connections` connections.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url).map_err(DatabaseError::Address)?;
        Self::connect_with(options, connections).await
    }

    /// Connects to a server with given options, as tests do to choose a schema.
    pub async fn connect_with(options: PgConnectOptions, connections: u32) -> Result<Self, DatabaseError> {
        let at = format!("{}:{}", options.get_host(), options.get_port());
        let options =
            options.application_name("synkro").options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE)
            // Asking before every use would double the round trips. One that was used a moment ago is trusted; where it
            // is dead all the same, whoever uses it gets an error, and the pool drops it.
            .test_before_acquire(false)
            .before_acquire(|connection, use_of| {
                Box::pin(async move {
                    if use_of.idle_for > TRUSTED {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(options)
            .await
            .map_err(|source| DatabaseError::Connect { at, source })?;
        Ok(Self {
            pool,
            mode: Mode::Server,
            #[cfg(feature = "embedded")]
            _engine: None,
        })
    }

    /// Starts PostgreSQL inside this process, with its data in `folder`.
    #[cfg(feature = "embedded")]
    pub async fn embedded(folder: &std::path::Path) -> Result<Self, DatabaseError> {
        let (engine, pool) = embedded::start(folder).await?;
        Ok(Self { pool, mode: Mode::Embedded, _engine: Some(std::sync::Arc::new(engine)) })
    }

    /// Brings the schema up to date. Safe to call from several processes at once.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        let lock = match self.mode {
            Mode::Server => Some(self.migration_lock().await?),
            Mode::Embedded => None,
        };
        let migrated = Migrator::up(&self.orm(), None).await.map_err(DatabaseError::Migrate);
        if let Some(lock) = lock {
            // The lock belongs to the connection; closing it gives the lock back.
            let _ = lock.close().await;
        }
        migrated
    }

    /// True where every migration is applied.
    pub async fn is_current(&self) -> Result<bool, DatabaseError> {
        let pending = Migrator::get_pending_migrations(&self.orm()).await.map_err(DatabaseError::Migrate)?;
        Ok(pending.is_empty())
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The same pool for sea-orm.
    pub fn orm(&self) -> DatabaseConnection {
        SqlxPostgresConnector::from_sqlx_postgres_pool(self.pool.clone())
    }

    /// Begins a transaction, which is rolled back where it is dropped.
    ///
    /// Whoever asks may be cut off at any moment, as a request is whose client has gone. So a task of its own waits for the
    /// answer: a `BEGIN` that nobody waits for would leave a transaction open on a connection that the pool gives to others.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.begin_as(None, None).await
    }

    /// Begins a transaction that reads everything as it is at its first statement, and writes nothing.
    pub async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        self.begin_as(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await
    }

    async fn begin_as(
        &self,
        isolation: Option<IsolationLevel>,
        access: Option<AccessMode>,
    ) -> Result<DatabaseTransaction, DbErr> {
        let orm = self.orm();
        let begun = tokio::spawn(async move { orm.begin_with_config(isolation, access).await });
        begun.await.unwrap_or_else(|_| Err(DbErr::Conn(RuntimeErr::Internal("the process ends".into()))))
    }

    /// A server's connection outside of the pool, for one who keeps it. It does not keep the pool from closing.
    pub(crate) async fn own_connection(&self) -> Result<PgConnection, sqlx::Error> {
        Ok(self.pool.acquire().await?.detach())
    }

    /// Which PostgreSQL it is.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Closes all connections. The embedded engine is left to the end of the process: its own shutdown can hang.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migration_lock(&self) -> Result<PgConnection, DatabaseError> {
        let failed = |source| DatabaseError::Connect { at: "the server".into(), source };
        let mut connection = self.own_connection().await.map_err(failed)?;
        sqlx::query("select pg_advisory_lock($1)")
            .bind(MIGRATION_LOCK)
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        Ok(connection)
    }
}
