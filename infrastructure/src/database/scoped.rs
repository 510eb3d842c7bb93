//! The one door to the role that sees a single tenant's rows.
//!
//! On a server its connections are kept apart from all others: nobody gets one but through a scope, and each remembers whose
//! it is. On the embedded database it is a transaction that takes on the role and the tenant for itself alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use application::TenantScope;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_binder::SqlxValues;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::roles::APP;
use super::{ACQUIRE, Database, TRUSTED};

/// A connection that nobody used for so long is closed when another one is given back.
const IDLE: Duration = Duration::from_mins(10);

/// Pause before a server that has no room is asked for a connection again.
const CONNECT_AGAIN: Duration = Duration::from_millis(50);

/// A server's connections under the role that sees one tenant.
pub(super) struct Scopes {
    options: PgConnectOptions,
    idle: Mutex<Vec<Kept>>,
    permits: Arc<Semaphore>,
}

/// A connection, whose rows it shows, and when it last did.
struct Kept {
    connection: PgConnection,
    tenant: Uuid,
    used: Instant,
}

impl Scopes {
    /// At most so many connections, which are made when they are needed.
    pub(super) fn new(login: PgConnectOptions, connections: u32) -> Arc<Self> {
        Arc::new(Self {
            options: login.options([("role", APP)]),
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(connections as usize)),
        })
    }

    /// A connection that shows this tenant's rows, if there is one in time. Whoever stops waiting closes what was being made.
    async fn lease(self: &Arc<Self>, tenant: Uuid) -> Result<Lease, sqlx::Error> {
        tokio::time::timeout(ACQUIRE, self.find(tenant)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn find(self: &Arc<Self>, tenant: Uuid) -> Result<Lease, sqlx::Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let connection = loop {
            let Some(kept) = self.idle_one(tenant) else {
                let mut new = self.connect().await?;
                show(&mut new, tenant).await?;
                break new;
            };
            let Kept { mut connection, tenant: last, used } = kept;
            // Setting the tenant also tells whether the connection is still alive.
            if (last == tenant && used.elapsed() < TRUSTED) || show(&mut connection, tenant).await.is_ok() {
                break connection;
            }
        };
        let connection = Some(connection);
        Ok(Lease { scopes: Arc::clone(self), connection, tenant, _permit: permit })
    }

    /// A new connection, as soon as the server has room for one; a pool waits likewise.
    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        loop {
            match PgConnection::connect_with(&self.options).await {
                Err(error) if is_full_or_starting(&error) => tokio::time::sleep(CONNECT_AGAIN).await,
                answer => return answer,
            }
        }
    }

    /// The last one that showed this tenant's rows, else the one that was idle for longest.
    fn idle_one(&self, tenant: Uuid) -> Option<Kept> {
        let mut idle = self.idle();
        let same = idle.iter().rposition(|kept| kept.tenant == tenant);
        if idle.is_empty() { None } else { Some(idle.remove(same.unwrap_or(0))) }
    }

    fn give_back(&self, connection: PgConnection, tenant: Uuid) {
        if self.permits.is_closed() {
            return;
        }
        let mut idle = self.idle();
        idle.retain(|kept| kept.used.elapsed() < IDLE);
        idle.push(Kept { connection, tenant, used: Instant::now() });
    }

    /// Closes the idle connections; the others close as they are given back.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for kept in idle {
            // The server sees the end of the connection in any case.
            let _ = kept.connection.close().await;
        }
    }

    /// Nobody panics while holding it.
    fn idle(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// True where the server takes no session now and will in a moment (SQLSTATE 53300, 57P03).
fn is_full_or_starting(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["53300", "57P03"].contains(&code.as_ref()))
}

/// Names the tenant for the session. A UUID's text holds nothing that SQL could take for more than a value.
async fn show(connection: &mut PgConnection, tenant: Uuid) -> Result<(), sqlx::Error> {
    connection.execute(format!("set synkro.tenant = '{tenant}'").as_str()).await.map(|_| ())
}

/// A connection that goes back when it is dropped, if nothing is left undone on it; else it is closed.
struct Lease {
    scopes: Arc<Scopes>,
    connection: Option<PgConnection>,
    tenant: Uuid,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Takes the connection for one statement. Where that fails, or nobody waits for its end, the connection is closed with
    /// whoever took it.
    fn take(&mut self) -> Result<PgConnection, DbErr> {
        self.connection.take().ok_or_else(|| failed(sqlx::Error::PoolClosed))
    }

    async fn plain(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut connection = self.take()?;
        let done = connection.execute(sql).await.map_err(failed)?;
        self.connection = Some(connection);
        Ok(done.into())
    }

    async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut connection = self.take()?;
        let done = query(&statement).execute(&mut connection).await.map_err(failed)?;
        self.connection = Some(connection);
        Ok(done.into())
    }

    async fn one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut connection = self.take()?;
        let row = query(&statement).fetch_optional(&mut connection).await.map_err(failed)?;
        self.connection = Some(connection);
        Ok(row.map(QueryResult::from))
    }

    async fn all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut connection = self.take()?;
        let rows = query(&statement).fetch_all(&mut connection).await.map_err(failed)?;
        self.connection = Some(connection);
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.scopes.give_back(connection, self.tenant);
        }
    }
}

fn query(statement: &Statement) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(&statement.sql, SqlxValues(values))
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error))
}

/// A connection that shows the rows of one tenant, and lets nothing be written.
pub struct Scoped(Door);

enum Door {
    /// One of a server's, for this tenant until it is dropped.
    Kept(tokio::sync::Mutex<Lease>),
    /// The embedded database's only one, within a transaction.
    Transaction(DatabaseTransaction),
}

impl Database {
    /// A connection for reading in the scope's tenant: row-level security shows no other tenant's rows on it.
    pub async fn scoped(&self, scope: &TenantScope) -> Result<Scoped, DbErr> {
        let tenant = scope.tenant_id().uuid();
        match &self.scopes {
            Some(scopes) => Ok(Scoped(Door::Kept(scopes.lease(tenant).await.map_err(failed)?.into()))),
            None => confined(self.begin().await?, tenant).await,
        }
    }
}

/// Makes the transaction, and nothing after it, see this tenant's rows alone.
async fn confined(transaction: DatabaseTransaction, tenant: Uuid) -> Result<Scoped, DbErr> {
    let confine = format!("set local role {APP}; set local synkro.tenant = '{tenant}'");
    transaction.execute_unprepared(&confine).await?;
    Ok(Scoped(Door::Transaction(transaction)))
}

#[async_trait]
impl ConnectionTrait for Scoped {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Door::Kept(lease) => lease.lock().await.execute(statement).await,
            Door::Transaction(transaction) => transaction.execute(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Door::Kept(lease) => lease.lock().await.plain(sql).await,
            Door::Transaction(transaction) => transaction.execute_unprepared(sql).await,
        }
    }

    async fn query_one(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Door::Kept(lease) => lease.lock().await.one(statement).await,
            Door::Transaction(transaction) => transaction.query_one(statement).await,
        }
    }

    async fn query_all(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Door::Kept(lease) => lease.lock().await.all(statement).await,
            Door::Transaction(transaction) => transaction.query_all(statement).await,
        }
    }
}
