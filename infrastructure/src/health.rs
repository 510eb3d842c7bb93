//! Whether the database answers and its schema is current.

use std::time::Duration;

use application::error::chain;
use application::ports::health::{Dependency, DependencyState, Health};
use async_trait::async_trait;

use crate::database::Database;

/// A part that takes longer counts as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the database.
pub struct SystemHealth {
    database: Database,
}

impl SystemHealth {
    /// The health of this database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn database(&self) -> DependencyState {
        match tokio::time::timeout(PATIENCE, self.database.is_current()).await {
            Ok(Ok(true)) => DependencyState::Up,
            Ok(Ok(false)) => down("its schema is not up to date; run `synkro migrate`"),
            Ok(Err(error)) => {
                tracing::warn!(error = chain(&error), "the database is not ready");
                down("it does not answer")
            }
            Err(_) => down("it does not answer in time"),
        }
    }
}

#[async_trait]
impl Health for SystemHealth {
    async fn dependencies(&self) -> Vec<Dependency> {
        vec![Dependency { name: "database", state: self.database().await }]
    }
}

fn down(reason: &str) -> DependencyState {
    DependencyState::Down { reason: reason.into() }
}
