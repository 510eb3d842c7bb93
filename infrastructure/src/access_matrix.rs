//! Who may do what, in the memory of this process.
//!
//! A tenant's roles are folded from its events when they are first asked for, and forgotten when an event changes one of
//! them; so a change is in force a look of the follower later. A fill that an event has overtaken is used once and not
//! kept: it may not hold that event.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

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
use crate::follower::LiveView;

/// Tenants that are kept at most; the memory of a tenant is some kilobytes.
const MOST_TENANTS: usize = 20_000;

/// The matrix, as a view that follows the log.
pub struct LiveAccessMatrix {
    database: Database,
    reader: LogReader,
    tenants: RwLock<HashMap<Uuid, Arc<TenantAccess>>>,
    /// Counts what was forgotten, so that a fill can tell whether it was overtaken.
    forgotten: AtomicU64,
}

impl LiveAccessMatrix {
    /// Over this database's log. It stays current for as long as a follower feeds it.
    pub fn new(database: &Database) -> Self {
        let reader = LogReader::new(database.clone());
        Self { database: database.clone(), reader, tenants: RwLock::default(), forgotten: AtomicU64::new(0) }
    }

    fn kept(&self, tenant: TenantId) -> Option<Arc<TenantAccess>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant.uuid()).cloned()
    }

    async fn fill(&self, tenant: TenantId) -> Result<Arc<TenantAccess>, PortError> {
        let before = self.forgotten.load(Ordering::Acquire);
        let rows: Vec<(String, Value)> = sqlx::query_as(
            "select aggregate_type, payload from events
             where tenant_id = $1 and aggregate_type in ('role', 'service_catalogue')
             order by aggregate_id, sequence",
        )
        .bind(tenant.uuid())
        .fetch_all(self.database.pool())
        .await
        .map_err(from_sqlx)?;
        let access = Arc::new(TenantAccess::of_events(of(&rows, Role::TYPE)?, of(&rows, ServiceCatalogue::TYPE)?));
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if self.forgotten.load(Ordering::Acquire) == before {
            if tenants.len() >= MOST_TENANTS {
                tenants.clear();
            }
            tenants.insert(tenant.uuid(), Arc::clone(&access));
        }
        Ok(access)
    }

    /// Forgets under the lock under which fills are kept, so that none slips in between the count and the map.
    fn forget(&self, change: impl FnOnce(&mut HashMap<Uuid, Arc<TenantAccess>>)) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        change(&mut tenants);
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
        match self.kept(tenant) {
            Some(access) => Ok(access),
            None => self.fill(tenant).await,
        }
    }
}

#[async_trait]
impl LiveView for LiveAccessMatrix {
    fn follows(&self) -> &'static [&'static str] {
        &[Role::TYPE, ServiceCatalogue::TYPE]
    }

    async fn load(&self) -> Result<LogPosition, PortError> {
        let horizon = self.reader.horizon().await.map_err(from_sqlx)?;
        self.forget(HashMap::clear);
        Ok(horizon)
    }

    fn apply(&self, events: &[LoggedEvent]) {
        self.forget(|tenants| {
            for tenant in events.iter().filter_map(|event| event.tenant_id) {
                tenants.remove(&tenant);
            }
        });
    }
}
