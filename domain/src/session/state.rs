use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::SessionEvent;
use crate::ids::{SessionId, TenantId, UserId};

/// The situations of a session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Session {
    /// Never opened.
    #[default]
    Absent,
    /// Its tokens are accepted while they are in time.
    Open(SessionDetails),
    /// Ended; nothing of it is accepted.
    Revoked(SessionDetails),
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionDetails {
    /// The session's id.
    pub session_id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// The user's tenant; none for the platform's own staff.
    pub tenant_id: Option<TenantId>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
}

impl Session {
    #[expect(clippy::needless_pass_by_value, reason = "the form that every aggregate has")]
    pub(super) fn evolve(self, event: SessionEvent) -> Self {
        match event {
            SessionEvent::SessionOpened { session_id, user_id, tenant_id, ends_at, .. } => {
                Self::Open(SessionDetails { session_id, user_id, tenant_id, ends_at })
            }
            SessionEvent::SessionRevoked { .. } => match self {
                Self::Open(details) | Self::Revoked(details) => Self::Revoked(details),
                Self::Absent => Self::Absent,
            },
        }
    }
}
