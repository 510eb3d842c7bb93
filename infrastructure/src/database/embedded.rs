//! PGlite: PostgreSQL 17 inside the process, on one connection.
//!
//! It keeps every acknowledged transaction when the process is killed; it does not promise to survive a power cut,
//! because `fsync` stays off: with it on, a data folder cannot be opened again after a kill.

use std::path::Path;
use std::str::FromStr;

use pglite_oxide::PgliteServer;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgExecutor, PgPool};

use super::{ACQUIRE, DatabaseError, roles};

/// The running engine. It is never shut down: that can hang. It ends with the process.
pub(super) struct Engine(
    #[expect(dead_code, reason = "held for as long as the database is used")] std::mem::ManuallyDrop<PgliteServer>,
);

pub(super) async fn start(folder: &Path) -> Result<(Engine, PgPool), DatabaseError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| DatabaseError::Embedded {
        folder: folder.display().to_string(),
        source,
    };
    let path = folder.to_owned();
    let server = tokio::task::spawn_blocking(move || PgliteServer::builder().path(path).start())
        .await
        .map_err(|error| failed(error.into()))?
        .map_err(|error| failed(error.into()))?;
    let options = PgConnectOptions::from_str(&server.connection_uri()).map_err(|error| failed(error.into()))?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(async move { take_on_role(connection).await }))
        .connect_with(options)
        .await
        .map_err(|error| failed(error.into()))?;
    Ok((Engine(std::mem::ManuallyDrop::new(server)), pool))
}

/// Takes the system's role on, if it is there: the first migration to come needs none.
pub(super) async fn take_on_role(connection: impl PgExecutor<'_>) -> Result<(), sqlx::Error> {
    let take_on = "select set_config('role', rolname::text, false) from pg_roles where rolname = $1";
    sqlx::query(take_on).bind(roles::SYSTEM).execute(connection).await.map(|_| ())
}
