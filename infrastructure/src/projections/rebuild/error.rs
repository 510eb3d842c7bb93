//! Why a rebuild could not go on.

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;

use crate::projections::ProjectionError;

/// PostgreSQL's `lock_not_available` and `deadlock_detected`: somebody else held what was asked for.
const HELD_BY_OTHERS: [&str; 2] = ["55P03", "40P01"];

/// Why a rebuild could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The projection could not be applied, or the database did not answer as it should.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// A table of the next generation does not exist: it was exchanged, given up or dropped by somebody else. Nothing
    /// is written then, because the name would mean the live table.
    #[error("the next generation of {projection} has no table {table} any more; begin the rebuild anew")]
    NextMissing {
        /// The projection.
        projection: &'static str,
        /// The table.
        table: &'static str,
    },
    /// The tables were in use whenever the exchange asked for them.
    #[error("the tables of {projection} are read by a long transaction; end it, or run the rebuild again later")]
    TablesInUse {
        /// The projection.
        projection: &'static str,
    },
}

impl RebuildError {
    /// True where another try may succeed because somebody else held a lock.
    pub(super) fn is_held_by_others(&self) -> bool {
        let Self::Projection(ProjectionError::Database(error)) = self else { return false };
        let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
            return false;
        };
        let code = error.as_database_error().and_then(DatabaseError::code);
        code.is_some_and(|code| HELD_BY_OTHERS.contains(&code.as_ref()))
    }
}

impl From<DbErr> for RebuildError {
    fn from(error: DbErr) -> Self {
        Self::Projection(error.into())
    }
}
