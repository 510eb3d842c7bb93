use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{SessionId, TenantId, UserId};
use crate::values::Personal;

/// How a user proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// By the password.
    Password,
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// The user signed out on the device.
    SignedOut,
    /// The user ended it from another device.
    ByUser,
    /// Someone who manages the company's users ended it.
    ByAdmin,
    /// A refresh token that was used came again: one of the two who have it stole it.
    RefreshReused,
    /// The user changed the password from another device.
    PasswordChanged,
    /// The user chose a new password by a mailed link.
    PasswordReset,
    /// The user may not sign in any more.
    UserDeactivated,
    /// The company may not use Synkro any more.
    TenantSuspended,
    /// It came to the end of its time, or was not used for too long.
    Expired,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum SessionEvent {
    SessionOpened {
        session_id: SessionId,
        user_id: UserId,
        tenant_id: Option<TenantId>,
        method: SignInMethod,
        user_agent: Option<Personal<String>>,
        ip: Option<Personal<String>>,
        ends_at: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    SessionRevoked {
        session_id: SessionId,
        user_id: UserId,
        tenant_id: Option<TenantId>,
        reason: RevocationReason,
        at: DateTime<Utc>,
    },
}

domain_events!(SessionEvent { SessionOpened = "1", SessionRevoked = "1" });
