//! The one place that tells an outage of the database from a defect.

use std::sync::Arc;

use application::PortError;
use sea_orm::DbErr;
use sqlx::error::DatabaseError;

/// What an error of sqlx means to a port.
pub(crate) fn from_sqlx(error: sqlx::Error) -> PortError {
    if is_outage(&error) { PortError::Unavailable(error.into()) } else { PortError::Internal(error.into()) }
}

/// What an error of sqlx that several were told of means to a port.
pub(crate) fn from_shared(error: Arc<sqlx::Error>) -> PortError {
    if is_outage(&error) { PortError::Unavailable(error.into()) } else { PortError::Internal(error.into()) }
}

/// What an error of sea-orm means to a port.
pub(crate) fn from_orm(error: DbErr) -> PortError {
    if is_orm_outage(&error) { PortError::Unavailable(error.into()) } else { PortError::Internal(error.into()) }
}

/// True where an error of sea-orm says that the same may succeed in a moment.
pub(crate) fn is_orm_outage(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner) => match inner {
            sea_orm::RuntimeErr::SqlxError(inner) => is_outage(inner),
            sea_orm::RuntimeErr::Internal(_) => false,
        },
        _ => false,
    }
}

/// What a boxed error that may be sqlx's means to a port.
pub(crate) fn from_boxed(error: Box<dyn std::error::Error + Send + Sync>) -> PortError {
    match error.downcast::<sqlx::Error>() {
        Ok(error) => from_sqlx(*error),
        Err(error) => PortError::Internal(error),
    }
}

/// A defect that came up in code of ours.
pub(crate) fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::Internal(error.into())
}

/// Between reading a ciphertext and opening it, everything of the company was sealed anew, and its key went.
#[derive(Debug, thiserror::Error)]
#[error("the data key was exchanged meanwhile")]
pub(crate) struct KeyGone;

/// True where a company's data key was exchanged between sealing and writing, or between reading and opening: it was all in vain,
/// and succeeds if done again at once.
pub(crate) fn is_key_exchanged(error: &PortError) -> bool {
    let PortError::Unavailable(source) = error else { return false };
    let refused = match source.downcast_ref() {
        Some(sqlx::Error::Database(error)) => names_a_key(error.as_ref()),
        _ => false,
    };
    refused || source.is::<KeyGone>()
}

fn names_a_key(error: &dyn DatabaseError) -> bool {
    error.constraint().is_some_and(|name| name.ends_with(SEALED_UNDER))
}

/// How the references from ciphertexts to the keys that seal them are named.
const SEALED_UNDER: &str = "_sealed_under";

/// True where the same may succeed in a moment: the database cannot be reached, is starting, stopping, full or a standby
/// (SQLSTATE 08, 53, 57P, 25006), cancelled the statement (57014), or had to choose between transactions (40001, 40P01); or a
/// company's data key was exchanged after something was sealed under it.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let is_temporary = |code: &str| {
                ["08", "53", "57P", "25006", "57014", "40001", "40P01"].iter().any(|class| code.starts_with(class))
            };
            error.code().is_some_and(|code| is_temporary(&code)) || names_a_key(error.as_ref())
        }
        _ => false,
    }
}
