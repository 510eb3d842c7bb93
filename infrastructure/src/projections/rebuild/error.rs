//! Why a rebuild could not go on.

use domain::ids::TenantId;
use domain::{Classified, ErrorKind, FieldError};
use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;
use uuid::Uuid;

use crate::error::is_orm_outage;
use crate::projections::ProjectionError;

/// PostgreSQL's `lock_not_available` and `deadlock_detected`: somebody else held what was asked for.
const HELD_BY_OTHERS: [&str; 2] = ["55P03", "40P01"];

/// PostgreSQL's `unique_violation`.
const UNIQUE_VIOLATION: &str = "23505";

/// Why a rebuild could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The projection could not be applied, or the database did not answer as it should.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// Another process rebuilds the same projection.
    #[error("another process rebuilds {projection} at the same time; let it finish, or stop it")]
    RebuiltElsewhere {
        /// The projection.
        projection: &'static str,
    },
    /// A table of the next generation does not exist: it was exchanged, given up or dropped by somebody else. Nothing
    /// is written then, because the name would mean the live table.
    #[error("the next generation of {projection} has no table {table} any more; begin the rebuild anew")]
    NextMissing {
        /// The projection.
        projection: &'static str,
        /// The table.
        table: &'static str,
    },
    /// The next generation was begun for other rows, by a program of other sources, or for tables of another form.
    #[error(
        "the next generation of {projection} was begun by another rebuild; begin this one anew when that has ended"
    )]
    NextOfAnother {
        /// The projection.
        projection: &'static str,
    },
    /// The next generation, which never goes beyond the live tables, is ahead of them: their checkpoint was moved back.
    #[error("the checkpoint of {projection} was moved back during its rebuild; begin the rebuild anew")]
    SetBack {
        /// The projection.
        projection: &'static str,
    },
    /// The tables were in use whenever the exchange asked for them.
    #[error("the tables of {projection} are read by a long transaction; end it, or run the rebuild again later")]
    TablesInUse {
        /// The projection.
        projection: &'static str,
    },
    /// The exchange ended without an answer, and the database could not be asked what became of it.
    #[error(
        "the database did not answer, so the rebuilt rows of {projection} may or may not be live; when it answers again, \
         `synkro projections verify` tells whether the live rows are right"
    )]
    Unanswered {
        /// The projection.
        projection: &'static str,
        /// What ended without an answer.
        #[source]
        source: DbErr,
    },
    /// The rebuilt rows have a value that must be unique and that a live row of somebody else has.
    #[error("a live row of somebody else has what rebuilt rows of {projection} must have alone; rebuild all its rows")]
    RowsOfOthers {
        /// The projection.
        projection: &'static str,
        /// What the database says.
        #[source]
        source: DbErr,
    },
}

impl RebuildError {
    /// True where another try may succeed because somebody else held a lock.
    pub(super) fn is_held_by_others(&self) -> bool {
        let Self::Projection(ProjectionError::Database(error)) = self else { return false };
        sqlstate(error).is_some_and(|code| HELD_BY_OTHERS.contains(&code.as_str()))
    }

    /// What it means that rows could not be put among those of others.
    pub(super) fn of_replacement(projection: &'static str, error: DbErr) -> Self {
        if sqlstate(&error).as_deref() == Some(UNIQUE_VIOLATION) {
            return Self::RowsOfOthers { projection, source: error };
        }
        error.into()
    }
}

fn sqlstate(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return None;
    };
    error.as_database_error().and_then(DatabaseError::code).map(Into::into)
}

impl From<DbErr> for RebuildError {
    fn from(error: DbErr) -> Self {
        Self::Projection(error.into())
    }
}

impl Classified for RebuildError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Projection(ProjectionError::Database(error)) if is_orm_outage(error) => ErrorKind::Unavailable,
            Self::Unanswered { .. } => ErrorKind::Unavailable,
            Self::Projection(_) => ErrorKind::Internal,
            Self::RebuiltElsewhere { .. }
            | Self::NextMissing { .. }
            | Self::NextOfAnother { .. }
            | Self::SetBack { .. }
            | Self::TablesInUse { .. }
            | Self::RowsOfOthers { .. } => ErrorKind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Projection(_) => "rebuild.failed",
            Self::RebuiltElsewhere { .. } => "rebuild.rebuilt_elsewhere",
            Self::NextMissing { .. } => "rebuild.next_missing",
            Self::NextOfAnother { .. } => "rebuild.next_of_another",
            Self::SetBack { .. } => "rebuild.set_back",
            Self::TablesInUse { .. } => "rebuild.tables_in_use",
            Self::RowsOfOthers { .. } => "rebuild.rows_of_others",
            Self::Unanswered { .. } => "rebuild.unanswered",
        }
    }
}

/// Why something asked for is no scope of a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeFault {
    /// There is no such projection.
    #[error("there is no read model {name}; there are: {known}")]
    UnknownProjection {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A table of the projection does not say which aggregate a row is of.
    #[error("the rows of {table} do not name one aggregate; use --tenant, or rebuild all rows of {projection}")]
    NotByAggregate {
        /// The projection.
        projection: &'static str,
        /// The table.
        table: &'static str,
    },
    /// The log holds nothing of the tenant.
    #[error("the log has no event of the tenant {0}")]
    UnknownTenant(TenantId),
    /// The projection's rows are not made from aggregates of this type.
    #[error("the rows of {projection} are not made from the type {aggregate_type}, but from: {followed}")]
    NotFollowed {
        /// The projection.
        projection: &'static str,
        /// The type that was asked for.
        aggregate_type: String,
        /// The types that they are made from.
        followed: String,
    },
    /// The log holds nothing of the aggregate, or it is not the tenant's.
    #[error("the log has no aggregate {aggregate_type}:{aggregate_id}, or it belongs to another tenant")]
    UnknownAggregate {
        /// Its type.
        aggregate_type: String,
        /// Its id.
        aggregate_id: Uuid,
    },
}

impl ScopeFault {
    fn field(&self) -> &'static str {
        match self {
            Self::UnknownProjection { .. } => "projection",
            Self::UnknownTenant(_) => "tenant",
            Self::NotByAggregate { .. } | Self::NotFollowed { .. } | Self::UnknownAggregate { .. } => "aggregate",
        }
    }
}

/// What was asked for is no scope of a rebuild; everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no such rows to rebuild")]
pub struct UnknownScope(pub Vec<ScopeFault>);

impl Classified for UnknownScope {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn code(&self) -> &'static str {
        "rebuild.unknown_scope"
    }

    fn fields(&self) -> Vec<FieldError> {
        self.0.iter().map(|fault| FieldError::new(fault.field(), fault.to_string())).collect()
    }
}
