//! PostgreSQL, on a server or inside this process. One pool serves sqlx, sea-orm and postgres-es.
//!
//! Its connections see all tenants' rows and own no table. [`Database::scoped`] gives those that see one tenant's.

#[cfg(feature = "embedded")]
mod embedded;
mod roles;
mod scoped;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use migrations::Migrator;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, IsolationLevel, RuntimeErr,
    SqlxPostgresConnector, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

pub use scoped::Scoped;
use scoped::Scopes;

/// A session that holds a transaction open and does nothing holds all readers of the log back; the server ends it.
const IDLE_IN_TRANSACTION: &str = "30s";

/// How long to wait for a free connection before the database counts as out of reach.
const ACQUIRE: Duration = Duration::from_secs(10);

/// The most connections under the login itself, and how long one is kept. They are for work that is rare.
const OWN: u32 = 2;
const OWN_IDLE: Duration = Duration::from_secs(10);

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
    /// Which migrations are applied cannot be asked.
    #[error("the database does not say which migrations are applied")]
    Ask(#[source] sqlx::Error),
    /// The login may not take on the roles that Synkro works under.
    #[error(
        "the login {login} is no member of the roles that keep tenants apart; run `synkro migrate`, or, where this login does \
         not own the tables, an administrator runs: grant synkro_app, synkro_system to {login}"
    )]
    NoMember {
        /// The login.
        login: String,
    },
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
    /// Under the login; the only pool there is on the embedded database.
    login: PgPool,
    /// None on the embedded database.
    scopes: Option<Arc<Scopes>>,
    mode: Mode,
    #[cfg(feature = "embedded")]
    _engine: Option<Arc<embedded::Engine>>,
}

impl Database {
    /// Connects to a server with up to `connections` connections, half of them for reading in tenants' names; and for now and
    /// then up to two more.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DatabaseError> {
        let options = PgConnectOptions::from_str(url).map_err(DatabaseError::Address)?;
        Self::connect_with(options, connections).await
    }

    /// Connects to a server with given options, as tests do to choose a schema.
    pub async fn connect_with(options: PgConnectOptions, connections: u32) -> Result<Self, DatabaseError> {
        let at = format!("{}:{}", options.get_host(), options.get_port());
        let login =
            options.application_name("synkro").options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)]);
        let pool = PgPoolOptions::new()
            .max_connections(connections.div_ceil(2))
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
            // Taken on as the connection begins: where the role is missing, there is no connection.
            .connect_lazy_with(login.clone().options([("role", roles::SYSTEM)]));
        let scopes = Some(Scopes::new(login.clone(), (connections / 2).max(1)));
        let owners = PgPoolOptions::new().max_connections(OWN).acquire_timeout(ACQUIRE).idle_timeout(OWN_IDLE);
        // The one that is made at once tells whether the server answers.
        let login = owners.connect_with(login).await.map_err(|source| DatabaseError::Connect { at, source })?;
        Ok(Self {
            pool,
            login,
            scopes,
            mode: Mode::Server,
            #[cfg(feature = "embedded")]
            _engine: None,
        })
    }

    /// Starts PostgreSQL inside this process, with its data in `folder`.
    #[cfg(feature = "embedded")]
    pub async fn embedded(folder: &std::path::Path) -> Result<Self, DatabaseError> {
        let (engine, pool) = embedded::start(folder).await?;
        let login = pool.clone();
        Ok(Self { pool, login, scopes: None, mode: Mode::Embedded, _engine: Some(Arc::new(engine)) })
    }

    /// Brings the schema up to date, as the login. Safe to call from several processes at once.
    pub async fn migrate(&self) -> Result<(), DatabaseError> {
        let transaction = self.begin_as_owner().await.map_err(DatabaseError::Migrate)?;
        let migrated = async {
            transaction.execute_unprepared(&format!("select pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
            Migrator::up(&transaction, None).await?;
            transaction.commit().await
        };
        migrated.await.map_err(DatabaseError::Migrate)?;
        #[cfg(feature = "embedded")]
        if self.mode == Mode::Embedded {
            embedded::take_on_role(&self.pool).await.map_err(DatabaseError::Ask)?;
        }
        Ok(())
    }

    /// True where every migration is applied.
    pub async fn is_current(&self) -> Result<bool, DatabaseError> {
        let applied = sqlx::query_scalar("select version from seaql_migrations").fetch_all(&self.pool).await;
        let applied: Vec<String> = match applied {
            Ok(applied) => applied,
            Err(error) if roles::says_not_migrated(&error) => {
                roles::require_membership(&self.login).await?;
                return Ok(false);
            }
            Err(error) => return Err(DatabaseError::Ask(error)),
        };
        Ok(Migrator::migrations().iter().all(|migration| applied.iter().any(|version| version == migration.name())))
    }

    /// The pool. Its connections see the rows of all tenants.
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
        begin_on(&self.pool, None, None).await
    }

    /// Begins a transaction that reads everything as it is at its first statement, and writes nothing.
    pub async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        begin_on(&self.pool, Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await
    }

    /// Begins a transaction as the login, which owns the tables: to make, move or drop some.
    pub async fn begin_as_owner(&self) -> Result<DatabaseTransaction, DbErr> {
        let transaction = begin_on(&self.login, None, None).await?;
        if self.mode == Mode::Embedded {
            transaction.execute_unprepared("set local role none").await?;
        }
        Ok(transaction)
    }

    /// A server's connections under the login, which sees its own sessions at the server; the only pool there is on the
    /// embedded database.
    pub(crate) fn login(&self) -> &PgPool {
        &self.login
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
        if let Some(scopes) = &self.scopes {
            scopes.close().await;
        }
        self.login.close().await;
        self.pool.close().await;
    }
}

async fn begin_on(
    pool: &PgPool,
    isolation: Option<IsolationLevel>,
    access: Option<AccessMode>,
) -> Result<DatabaseTransaction, DbErr> {
    let orm = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let begun = tokio::spawn(async move { orm.begin_with_config(isolation, access).await });
    begun.await.unwrap_or_else(|_| Err(DbErr::Conn(RuntimeErr::Internal("the process ends".into()))))
}
