//! What becomes of a tenant after it was provisioned.

use std::sync::Arc;

use domain::ids::TenantId;
use domain::tenant::{Tenant, TenantCommand, TenantDetails, TenantError, TenantExport};
use domain::values::{ContentHash, DisplayName, Reason};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::read_models::{Page, PageRequest, TenantFilter, TenantView, Tenants};

/// What shall become of a tenant.
#[derive(Debug, Clone)]
pub enum TenantChange {
    /// Open it for use.
    Activate,
    /// Give it another name.
    Rename(DisplayName),
    /// Keep everybody and everything of it out until it is resumed.
    Suspend(Reason),
    /// Let them in again.
    Resume,
    /// Begin its end.
    Offboard(Reason),
    /// Record that all its events were handed out.
    RecordExport {
        /// How many they were.
        events: u64,
        /// SHA-256 of the file.
        digest: ContentHash,
    },
    /// End it for good.
    Close,
}

/// Changes the situations of tenants.
pub struct TenantLifecycle {
    /// The log.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// The read model.
    pub views: Arc<dyn Tenants>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl TenantLifecycle {
    /// Changes the tenant; what it is already changes nothing, and has no position.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `not_found`; `conflict` where its situation does not allow it.
    pub async fn change(
        &self,
        context: &RequestContext,
        id: TenantId,
        change: TenantChange,
    ) -> Result<Option<LogPosition>, AppError> {
        let context = context.require_support(Some(id))?;
        let at = self.clock.now();
        let command = match change {
            TenantChange::Activate => TenantCommand::Activate { at },
            TenantChange::Rename(name) => TenantCommand::Rename { name, at },
            TenantChange::Suspend(reason) => TenantCommand::Suspend { reason, at },
            TenantChange::Resume => TenantCommand::Resume { at },
            TenantChange::Offboard(reason) => TenantCommand::BeginOffboarding { reason, at },
            TenantChange::RecordExport { events, digest } => {
                TenantCommand::RecordExport(TenantExport { events, digest, at })
            }
            TenantChange::Close => TenantCommand::Close { at },
        };
        Ok(self.tenants.execute(&context, id.uuid(), command).await?.position)
    }

    /// What is known of the tenant, by its own events.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `not_found`.
    pub async fn details(&self, context: &RequestContext, id: TenantId) -> Result<TenantDetails, AppError> {
        context.require_support(Some(id))?;
        let tenant = self.tenants.load(id.uuid()).await?;
        Ok(tenant.details().cloned().ok_or(TenantError::NotFound)?)
    }

    /// The tenants of the platform, newest first.
    ///
    /// # Errors
    /// `forbidden` for all but support staff.
    pub async fn list(
        &self,
        context: &RequestContext,
        filter: &TenantFilter,
        page: PageRequest,
    ) -> Result<Page<TenantView>, AppError> {
        context.require_support(None)?;
        Ok(self.views.list(filter, page).await?)
    }

    /// Passes where the tenant is being offboarded, so that its export can be recorded.
    ///
    /// # Errors
    /// `forbidden` for all but support staff; `not_found`; `conflict` where its offboarding was not begun.
    pub async fn require_offboarding(&self, context: &RequestContext, id: TenantId) -> Result<(), AppError> {
        context.require_support(Some(id))?;
        Ok(self.tenants.load(id.uuid()).await?.require_offboarding()?)
    }
}
