//! What staff do, over memory: none of these tests signs staff in.

use std::sync::Arc;

use application::ports::impersonations::{ImpersonationView, Impersonations};
use application::ports::read_models::{Found, Page, PageRequest, TenantFilter, TenantView, Tenants};
use application::use_cases::{
    AccessSetup, EndSessions, Impersonate, InviteUsers, ManageStaff, ManageTenantUsers, ManageUsers, SuperAdminRoster,
    TenantLifecycle, TenantProvisioning,
};
use application::{PlatformScope, PortError, TenantScope};
use async_trait::async_trait;
use domain::ids::TenantId;

use super::access::Untouched;
use super::memory::Memory;
use super::people::mailed;

pub(super) fn roster(memory: &Arc<Memory>) -> Arc<SuperAdminRoster> {
    Arc::new(SuperAdminRoster {
        admins: Arc::new(Untouched),
        accounts: Arc::new(Untouched),
        credentials: memory.clone(),
        clock: memory.clone(),
    })
}

pub(super) fn staff(memory: &Arc<Memory>, end: &Arc<EndSessions>) -> ManageStaff {
    ManageStaff {
        users: memory.clone(),
        accounts: Arc::new(Untouched),
        second_factors: Arc::new(Untouched),
        factors: Arc::new(Untouched),
        roster: roster(memory),
        mailed: mailed(memory),
        refresh_tokens: memory.clone(),
        end: end.clone(),
    }
}

pub(super) fn tenants(memory: &Arc<Memory>) -> TenantLifecycle {
    TenantLifecycle { tenants: Arc::new(Untouched), views: Arc::new(Untouched), clock: memory.clone() }
}

pub(super) fn provisioning(memory: &Arc<Memory>) -> TenantProvisioning {
    let access = AccessSetup { roles: Arc::new(Untouched), catalogues: Arc::new(Untouched), clock: memory.clone() };
    TenantProvisioning { tenants: Arc::new(Untouched), access, clock: memory.clone() }
}

pub(super) fn tenant_users(users: &Arc<ManageUsers>, invite: &Arc<InviteUsers>) -> ManageTenantUsers {
    ManageTenantUsers { tenants: Arc::new(Untouched), users: users.clone(), invite: invite.clone() }
}

pub(super) fn impersonate(memory: &Arc<Memory>) -> Impersonate {
    Impersonate {
        impersonations: Arc::new(Untouched),
        tenants: Arc::new(Untouched),
        accounts: Arc::new(Untouched),
        views: Arc::new(Untouched),
        tokens: memory.clone(),
        clock: memory.clone(),
        ids: memory.clone(),
    }
}

#[async_trait]
impl Impersonations for Untouched {
    async fn list(&self, _scope: &TenantScope, _page: PageRequest) -> Result<Page<ImpersonationView>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }

    async fn of_tenant(
        &self,
        _scope: &PlatformScope,
        _tenant: TenantId,
        _page: PageRequest,
    ) -> Result<Page<ImpersonationView>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}

#[async_trait]
impl Tenants for Untouched {
    async fn get(&self, _scope: &PlatformScope, _id: TenantId) -> Result<Found<Option<TenantView>>, PortError> {
        Ok(Found { item: None, parked: 0 })
    }

    async fn list(
        &self,
        _scope: &PlatformScope,
        _filter: &TenantFilter,
        _page: PageRequest,
    ) -> Result<Page<TenantView>, PortError> {
        Ok(Page { items: Vec::new(), next: None, parked: 0 })
    }
}
