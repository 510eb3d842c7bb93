//! Where projections stand.

use application::ports::commands::LogPosition;

use super::{Checkpoints, ProjectionError};
use crate::database::Database;

/// Where one projection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// The last event that it has seen.
    pub position: LogPosition,
    /// Events after that.
    pub behind: u64,
}

impl Standing {
    /// Where the named projections stand.
    pub async fn of_all(database: &Database, names: &[&str]) -> Result<Vec<Self>, ProjectionError> {
        let mut standings = Vec::new();
        for name in names {
            let position = Checkpoints::load(database, name).await.map_err(ProjectionError::sqlx)?;
            let behind: i64 = sqlx::query_scalar(
                "select count(*) from events where (generation, tx, position) > ($1, $2::text::xid8, $3)",
            )
            .bind(position.generation)
            .bind(position.tx.to_string())
            .bind(position.position)
            .fetch_one(database.pool())
            .await
            .map_err(ProjectionError::sqlx)?;
            standings.push(Self { name: (*name).to_owned(), position, behind: behind.cast_unsigned() });
        }
        Ok(standings)
    }
}
