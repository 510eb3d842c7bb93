//! Who may do what, in the memory of this process.
//!
//! A tenant's roles are folded from its events when they are first asked for, and forgotten when an event changes one of
//! them; so a change is in force a look of the follower later. Where the follower has lost sight of the log, nobody is told
//! anything: a right may have been taken meanwhile. Where nobody follows the log, every question reads it.

use std::sync::Arc;
use std::time::Duration;

use application::PortError;
use application::access::TenantAccess;
use application::ports::access::AccessMatrix;
use application::ports::commands::LogPosition;
use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::ids::TenantId;
use domain::role::Role;
use domain::service_catalogue::ServiceCatalogue;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::database::Database;
use crate::error::{from_sqlx, internal};
use crate::event_store::{LogReader, LoggedEvent};
use crate::followed_cache::{FollowedCache, Sight};
use crate::follower::{Freshness, LiveView};

/// Tenants that are kept at most; the memory of a tenant is some kilobytes.
const MOST_TENANTS: usize = 20_000;

/// A process that has not seen the end of the log for so long cannot tell what anybody may, as it cannot tell which tokens
/// stand.
const FRESH: Duration = Duration::from_secs(5);

/// The matrix, as a view that follows the log.
pub struct LiveAccessMatrix {
    database: Database,
    reader: LogReader,
    tenants: FollowedCache<Uuid, Arc<TenantAccess>>,
}

impl LiveAccessMatrix {
    /// Over this database's log. It remembers nothing until it is followed.
    pub fn new(database: &Database) -> Self {
        let reader = LogReader::new(database.clone());
        Self { database: database.clone(), reader, tenants: FollowedCache::new(MOST_TENANTS, Duration::MAX) }
    }

    /// Says where to ask how current the view is. The first one stays.
    pub fn follow(&self, freshness: Freshness) {
        self.tenants.follow(freshness);
    }

    async fn fill(&self, tenant: TenantId) -> Result<Arc<TenantAccess>, PortError> {
        let rows: Vec<(String, Value)> = sqlx::query_as(
            "select aggregate_type, payload from events
             where tenant_id = $1 and aggregate_type in ('role', 'service_catalogue')
             order by aggregate_id, sequence",
        )
        .bind(tenant.uuid())
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        Ok(Arc::new(TenantAccess::of_events(of(&rows, Role::TYPE)?, of(&rows, ServiceCatalogue::TYPE)?)))
    }
}

/// The events of one kind of aggregate.
fn of<E: DeserializeOwned>(rows: &[(String, Value)], aggregate_type: &str) -> Result<Vec<E>, PortError> {
    let rows = rows.iter().filter(|(kind, _)| kind == aggregate_type);
    rows.map(|(_, payload)| E::deserialize(payload).map_err(internal)).collect()
}

#[async_trait]
impl AccessMatrix for LiveAccessMatrix {
    async fn of(&self, tenant: TenantId) -> Result<Arc<TenantAccess>, PortError> {
        match self.tenants.sight(FRESH) {
            Sight::Clear => {}
            Sight::Lost => return Err(PortError::Unavailable("what roles may is not known for now".into())),
            Sight::Never => return self.fill(tenant).await,
        }
        if let Some(access) = self.tenants.get(&tenant.uuid()) {
            return Ok(access);
        }
        let before = self.tenants.before_look();
        let access = self.fill(tenant).await?;
        self.tenants.keep(tenant.uuid(), Arc::clone(&access), before);
        Ok(access)
    }
}

#[async_trait]
impl LiveView for LiveAccessMatrix {
    fn follows(&self) -> &'static [&'static str] {
        &[Role::TYPE, ServiceCatalogue::TYPE]
    }

    async fn load(&self) -> Result<LogPosition, PortError> {
        let horizon = self.reader.horizon().await.map_err(from_sqlx)?;
        self.tenants.forget_all();
        Ok(horizon)
    }

    fn apply(&self, events: &[LoggedEvent]) {
        self.tenants.forget(events.iter().filter_map(|event| event.tenant_id));
    }
}
