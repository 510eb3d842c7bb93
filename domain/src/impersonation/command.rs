use chrono::{DateTime, Utc};

use crate::ids::{ImpersonationId, TenantId, UserId};
use crate::values::Reason;

/// What can be asked of an impersonation.
#[derive(Debug, Clone)]
pub enum ImpersonationCommand {
    /// Begin it.
    Open(OpenImpersonation),
    /// End it before its time.
    End {
        /// Who ends it: the member of staff, or someone of the tenant.
        ended_by: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// Staff acting as a user.
#[derive(Debug, Clone)]
pub struct OpenImpersonation {
    /// Its id.
    pub impersonation_id: ImpersonationId,
    /// The tenant that it is about.
    pub tenant_id: TenantId,
    /// The member of staff.
    pub staff_id: UserId,
    /// The user whose rights the member of staff has meanwhile.
    pub user_id: UserId,
    /// Why, as the tenant reads it.
    pub reason: Reason,
    /// First instant at which it is over.
    pub until: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}
