//! The table of when staff acted in the name of companies' users.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::{ImpersonationId, TenantId, UserId};
use domain::values::Personal;

use super::read_models::{Page, PageRequest};
use crate::context::{PlatformScope, TenantScope};
use crate::error::PortError;

/// A member of staff acting as a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpersonationView {
    /// Its id.
    pub id: ImpersonationId,
    /// The member of staff.
    pub staff_id: UserId,
    /// How people call the member of staff now; none for one who is gone.
    pub staff_name: Option<Personal<String>>,
    /// The user.
    pub user_id: UserId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// First instant at which it is over, unless it was ended before.
    pub until: DateTime<Utc>,
    /// When it was ended before its time, and by whom.
    pub ended: Option<(DateTime<Utc>, UserId)>,
}

/// The read model of impersonations.
#[async_trait]
pub trait Impersonations: Send + Sync {
    /// Those of the scope's tenant, newest first.
    async fn list(&self, scope: &TenantScope, page: PageRequest) -> Result<Page<ImpersonationView>, PortError>;

    /// Those of a tenant as the platform's staff see them, newest first.
    async fn of_tenant(
        &self,
        scope: &PlatformScope,
        tenant: TenantId,
        page: PageRequest,
    ) -> Result<Page<ImpersonationView>, PortError>;
}
