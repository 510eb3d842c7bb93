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

/// What became of a request for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantOutcome {
    /// The tenant.
    pub id: TenantId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
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
    /// `forbidden` for companies' people, and for staff without the right; `taken` where the slug belongs to another tenant.
    pub async fn provision(&self, context: &RequestContext, new: NewTenant) -> Result<TenantOutcome, AppError> {
        let context = &context.for_new_tenant(new.id)?;
        let NewTenant { id, name, slug, language, preset } = new;
        let tenant = ProvisionTenant { tenant_id: id, name, slug, language, at: self.clock.now() };
        let recorded = self.tenants.execute(context, id.uuid(), TenantCommand::Provision(tenant)).await?;
        let provided = self.access.provide(context, id, preset).await?;
        Ok(TenantOutcome { id, position: recorded.position.max(provided), replayed: recorded.replayed })
    }

    /// Opens a created tenant for use, once its integrations and users are there.
    pub async fn activate(&self, context: &RequestContext, id: TenantId) -> Result<Option<LogPosition>, AppError> {
        context.require_system()?;
        let activate = TenantCommand::Activate { at: self.clock.now() };
        Ok(self.tenants.execute(context, id.uuid(), activate).await?.position)
    }
}
