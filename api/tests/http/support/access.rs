//! The roles of every company, which no test of this kind changes.

use std::sync::Arc;

use application::access::TenantAccess;
use application::ports::access::{AccessMatrix, AddedEntries, EntryView, RoleView, Roles};
use application::ports::audit::{AuditEntry, AuditPage, AuditRequest, AuditTrail};
use application::ports::commands::{Commands, Expect, LogPosition, Recorded};
use application::ports::insights::{Activity, AiUsage, Insights, StepLoad};
use application::ports::read_models::{Found, Page, PageRequest};
use application::use_cases::ManageRoles;
use application::{CommandError, PortError, RequestContext, TenantScope};
use async_trait::async_trait;
use domain::EventSourced;
use domain::access::EntryKind;
use domain::ids::{RoleId, TenantId};
use uuid::Uuid;

use super::memory::Memory;

/// Roles, and logs of them, that stay as they are.
pub(super) struct Untouched;

pub(super) fn manage_roles(memory: &Arc<Memory>) -> ManageRoles {
    ManageRoles { roles: Arc::new(Untouched), catalogues: Arc::new(Untouched), clock: memory.clone() }
}

#[async_trait]
impl AccessMatrix for Untouched {
    async fn of(&self, _tenant: TenantId) -> Result<Arc<TenantAccess>, PortError> {
        Ok(Arc::new(TenantAccess::of_events([], [])))
    }
}

#[async_trait]
impl Roles for Untouched {
    async fn get(&self, _scope: &TenantScope, _id: RoleId) -> Result<Found<Option<RoleView>>, PortError> {
        Ok(Found { item: None, parked: 0 })
    }

    async fn list(&self, _scope: &TenantScope, _page: PageRequest) -> Result<Page<RoleView>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}

#[async_trait]
impl AddedEntries for Untouched {
    async fn of_kind(&self, _scope: &TenantScope, _kind: EntryKind) -> Result<Found<Vec<EntryView>>, PortError> {
        Ok(Found { item: Vec::new(), parked: 0 })
    }
}

#[async_trait]
impl Insights for Untouched {
    async fn activity(&self, _scope: &TenantScope) -> Result<Activity, PortError> {
        Ok(Activity::default())
    }

    async fn ai_usage(&self, _scope: &TenantScope) -> Result<AiUsage, PortError> {
        Ok(AiUsage::default())
    }

    async fn steps(&self, _scope: &TenantScope) -> Result<Vec<StepLoad>, PortError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl<A: EventSourced> Commands<A> for Untouched {
    async fn execute_expecting(
        &self,
        _context: &RequestContext,
        _id: Uuid,
        _expect: Expect,
        _command: A::Command,
    ) -> Result<Recorded<A::Event>, CommandError<A::Error>> {
        Err(PortError::internal("no test of this kind changes roles").into())
    }

    async fn first_outcome(
        &self,
        _context: &RequestContext,
    ) -> Result<Option<Recorded<A::Event>>, CommandError<A::Error>> {
        Ok(None)
    }

    async fn load(&self, _id: Uuid) -> Result<A, PortError> {
        Ok(A::default())
    }
}

#[async_trait]
impl AuditTrail for Untouched {
    async fn page(&self, _scope: &TenantScope, _request: &AuditRequest) -> Result<AuditPage<AuditEntry>, PortError> {
        Ok(AuditPage { items: Vec::new(), next: None })
    }

    async fn at(&self, _scope: &TenantScope, _position: LogPosition) -> Result<Option<AuditEntry>, PortError> {
        Ok(None)
    }
}
