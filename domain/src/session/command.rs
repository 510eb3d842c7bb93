use chrono::{DateTime, Utc};

use super::{RevocationReason, SignInMethod};
use crate::ids::{SessionId, TenantId, UserId};
use crate::values::Personal;

/// What can be asked of a session.
#[derive(Debug, Clone)]
pub enum SessionCommand {
    /// Begin it.
    Open(OpenSession),
    /// End it.
    Revoke {
        /// Why.
        reason: RevocationReason,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// A sign-in that succeeded.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The session's id.
    pub session_id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// The user's tenant; none for the platform's own staff.
    pub tenant_id: Option<TenantId>,
    /// How the user proved who they are.
    pub method: SignInMethod,
    /// What the device calls itself.
    pub user_agent: Option<Personal<String>>,
    /// The address that the device has.
    pub ip: Option<Personal<String>>,
    /// When the session ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// Now.
    pub at: DateTime<Utc>,
}
