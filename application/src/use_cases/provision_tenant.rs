//! Creating a tenant and opening it for use.

use std::sync::Arc;

use domain::access::Preset;
use domain::ids::TenantId;
use domain::tenant::{ProvisionTenant, Tenant, TenantCommand};
use domain::values::{DisplayName, Language, Slug};

use super::AccessSetup;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// A tenant to create.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its id.
    pub id: TenantId,
    /// Its name.
    pub name: DisplayName,
    /// Its short name, unique in the platform.
    pub slug: Slug,
    /// The language of its reports.
    pub language: Language,
    /// The roles and services that it begins with.
    pub preset: Preset,
}

/// Creates tenants.
pub struct TenantProvisioning {
    /// The log.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Its first roles and services.
    pub access: AccessSetup,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl TenantProvisioning {
    /// Creates the tenant; doing it again with the same details changes nothing.
    ///
    /// # Errors
    /// `forbidden` for users; `taken` where the slug belongs to another tenant.
    pub async fn provision(&self, context: &RequestContext, new: NewTenant) -> Result<(), AppError> {
        context.require_system()?;
        let NewTenant { id, name, slug, language, preset } = new;
        let tenant = ProvisionTenant { tenant_id: id, name, slug, language, at: self.clock.now() };
        self.tenants.execute(context, id.uuid(), TenantCommand::Provision(tenant)).await?;
        self.access.provide(context, id, preset).await?;
        Ok(())
    }

    /// Opens a created tenant for use, once its integrations and users are there.
    pub async fn activate(&self, context: &RequestContext, id: TenantId) -> Result<Option<LogPosition>, AppError> {
        context.require_system()?;
        let activate = TenantCommand::Activate { at: self.clock.now() };
        Ok(self.tenants.execute(context, id.uuid(), activate).await?.position)
    }
}
