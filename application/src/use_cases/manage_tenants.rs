//! What becomes of a tenant after it was provisioned.

use std::sync::Arc;

use domain::FieldError;
use domain::access::PlatformPermission;
use domain::ids::TenantId;
use domain::tenant::{Tenant, TenantCommand, TenantError, TenantExport};
use domain::values::{ContentHash, DisplayName, Reason, Slug};

use crate::context::RequestContext;
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::read_models::{Found, Page, PageRequest, TenantFilter, TenantView, Tenants};

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

impl TenantChange {
    /// What staff need for it.
    fn right(&self) -> PlatformPermission {
        match self {
            Self::Activate | Self::Rename(_) | Self::Suspend(_) | Self::Resume => PlatformPermission::TenantsWrite,
            Self::Offboard(_) | Self::RecordExport { .. } | Self::Close => PlatformPermission::TenantsDelete,
        }
    }
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
    /// `forbidden` for all but the terminal and staff with the right; `not_found`; `conflict` where its situation does not allow
    /// it.
    pub async fn change(
        &self,
        context: &RequestContext,
        id: TenantId,
        change: TenantChange,
    ) -> Result<Option<LogPosition>, AppError> {
        let context = context.authorize_platform(change.right())?.about(id);
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

    /// Ends the tenant for good, where its short name confirms that no other one is meant.
    ///
    /// # Errors
    /// As for [`Self::change`]; `invalid` where the short name is another one's.
    pub async fn close(
        &self,
        context: &RequestContext,
        id: TenantId,
        confirm: &Slug,
    ) -> Result<Option<LogPosition>, AppError> {
        context.authorize_platform(TenantChange::Close.right())?;
        let tenant = self.tenants.load(id.uuid()).await?;
        if tenant.details().ok_or(TenantError::NotFound)?.slug != *confirm {
            let message = "is not the short name of this company";
            return Err(AppError::invalid(vec![FieldError::new("confirm_slug", message)]));
        }
        self.change(context, id, TenantChange::Close).await
    }

    /// The tenants of the platform, newest first.
    ///
    /// # Errors
    /// `forbidden` for all but the terminal and staff with the right.
    pub async fn list(
        &self,
        context: &RequestContext,
        filter: &TenantFilter,
        page: PageRequest,
    ) -> Result<Page<TenantView>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::TenantsRead)?;
        Ok(self.views.list(&scope, filter, page).await?)
    }

    /// A tenant.
    ///
    /// # Errors
    /// `forbidden` for all but the terminal and staff with the right; `not_found`.
    pub async fn get(&self, context: &RequestContext, id: TenantId) -> Result<Found<TenantView>, AppError> {
        let scope = context.authorize_platform(PlatformPermission::TenantsRead)?;
        self.views.get(&scope, id).await?.or_missing(TenantError::NotFound.into())
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
