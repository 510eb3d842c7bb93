//! What it means that a statement was not recorded.

use std::sync::Arc;

use sqlx::PgPool;

use super::commit::{AppendError, Commit};
use super::statement::Claims;
use super::writer::PATIENCE;

/// The constraint that two commits of one aggregate at the same version run into.
const EVENTS_KEY: &str = "events_pkey";

/// What a commit runs into whose predecessor is not in the log.
const EVENTS_FOLLOW: &str = "events_follow";

/// The constraint that a taken value runs into.
const CLAIMS_KEY: &str = "claims_pkey";

/// The constraint that a repeated request runs into.
const RECEIPTS_KEY: &str = "receipts_pkey";

/// Why a statement was not recorded, or may not have been.
pub(super) enum Failure {
    /// One of its commits was decided on what was remembered from another epoch. Nothing was sent.
    Stale,
    /// No connection could be had. Nothing was sent.
    NotSent(sqlx::Error),
    /// The database refused it for what one of its commits holds.
    Refused(sqlx::Error),
    /// The database refused it for another reason.
    Failed(sqlx::Error),
    /// No answer came. It may have been recorded.
    Unanswered(sqlx::Error),
}

impl Failure {
    /// What the error of a statement that was sent says.
    pub(super) fn of(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default();
                let is_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
                match () {
                    // A constraint, bad data, or a conflict between transactions.
                    () if is_of(&["22", "23", "40"]) => Self::Refused(error),
                    // The server ends or loses the connection; how far it had come it does not say.
                    () if is_of(&["08", "57P"]) => Self::Unanswered(error),
                    () => Self::Failed(error),
                }
            }
            // What cannot be put into a message is not sent.
            sqlx::Error::Encode(_) => Self::Failed(error),
            _ => Self::Unanswered(error),
        }
    }

    /// True where nothing was recorded because of one commit, and each can be tried alone.
    pub(super) fn has_a_culprit(&self) -> bool {
        matches!(self, Self::Stale | Self::Refused(_))
    }

    /// True where the connection can be used again.
    pub(super) fn spares_the_connection(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// What it means to each commit of the statement, where no single one is to blame.
    pub(super) fn for_all(self) -> AppendError {
        match self {
            Self::Stale => AppendError::LostRace,
            Self::NotSent(error) => AppendError::Unavailable(Arc::new(error)),
            Self::Refused(error) | Self::Failed(error) => AppendError::Database(Arc::new(error)),
            Self::Unanswered(error) => AppendError::Unanswered(Arc::new(error)),
        }
    }

    /// What it means to the only commit of the statement.
    pub(super) async fn for_one(self, pool: &PgPool, commit: &Commit) -> AppendError {
        let Self::Refused(error) = self else { return self.for_all() };
        match error.as_database_error().and_then(|error| error.constraint()) {
            Some(EVENTS_KEY | EVENTS_FOLLOW) => AppendError::LostRace,
            Some(RECEIPTS_KEY) => AppendError::Duplicate,
            Some(CLAIMS_KEY) => taken_kind(pool, commit, error).await,
            _ => AppendError::Database(Arc::new(error)),
        }
    }
}

/// Which of the commit's claims is taken. An aggregate that runs into its own claim has lost a race against itself.
async fn taken_kind(pool: &PgPool, commit: &Commit, error: sqlx::Error) -> AppendError {
    let taken = Claims::taken(std::slice::from_ref(commit));
    let owner = sqlx::query_as(
        "select c.kind, c.aggregate_type = $4 and c.aggregate_id = $5
         from claims c
         join unnest($1::uuid[], $2::text[], $3::text[]) as t(tenant_id, kind, value) using (tenant_id, kind, value)
         order by 2
         limit 1",
    )
    .bind(taken.tenants)
    .bind(taken.kinds)
    .bind(taken.values)
    .bind(commit.aggregate_type)
    .bind(&commit.aggregate_id)
    .fetch_optional(pool);
    match tokio::time::timeout(PATIENCE, owner).await {
        Ok(Ok(Some((kind, false)))) => AppendError::Taken { kind },
        // Its own claim, or one that was released meanwhile: deciding anew settles it.
        Ok(Ok(Some((_, true)) | None)) => AppendError::LostRace,
        // What the database said at first.
        Ok(Err(_)) | Err(_) => AppendError::Database(Arc::new(error)),
    }
}
