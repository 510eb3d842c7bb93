//! Whether the database answers and its schema is current.

use std::time::Duration;

use application::error::chain;
use application::ports::health::{Dependency, DependencyState, Health};
use async_trait::async_trait;

use crate::database::Database;
use crate::limits::Redis;

/// A part that takes longer counts as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the database, and Redis where there is one.
pub struct SystemHealth {
    database: Database,
    redis: Option<Redis>,
}

impl SystemHealth {
    /// The health of these.
    pub fn new(database: Database, redis: Option<Redis>) -> Self {
        Self { database, redis }
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
        let mut dependencies = vec![Dependency { name: "database", state: self.database().await }];
        if let Some(redis) = &self.redis {
            dependencies.push(Dependency { name: "redis", state: redis.state().await });
        }
        dependencies
    }
}

fn down(reason: &str) -> DependencyState {
    DependencyState::Down { reason: reason.into() }
}
