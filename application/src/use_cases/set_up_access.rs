//! Giving a new company the roles and services that it begins with.

use std::sync::Arc;

use domain::access::{Authority, Preset};
use domain::ids::{CatalogueId, RoleId, TenantId};
use domain::role::{Role, RoleAsk, RoleCommand};
use domain::service_catalogue::{CatalogueAsk, CatalogueCommand, ServiceCatalogue};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// Sets up roles and services.
pub struct AccessSetup {
    /// The log of roles.
    pub roles: Arc<dyn Commands<Role>>,
    /// The log of catalogues.
    pub catalogues: Arc<dyn Commands<ServiceCatalogue>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl AccessSetup {
    /// Records what the preset holds and the company has never had. What it has changed or removed since stays so.
    pub(super) async fn provide(
        &self,
        context: &RequestContext,
        tenant_id: TenantId,
        preset: Preset,
    ) -> Result<Option<LogPosition>, AppError> {
        let (context, at) = (context.further(), self.clock.now());
        let command = CatalogueCommand { tenant_id, ask: CatalogueAsk::Provide(preset.catalogue()), at };
        let id = CatalogueId::of(tenant_id);
        let mut last = self.catalogues.execute(&context, id.uuid(), command).await?.position;
        for role in preset.roles() {
            let id = RoleId::of(tenant_id, &role.name);
            let command = RoleCommand { ask: RoleAsk::Provide(tenant_id, role), by: Authority::Platform, at };
            last = last.max(self.roles.execute(&context, id.uuid(), command).await?.position);
        }
        Ok(last)
    }
}
