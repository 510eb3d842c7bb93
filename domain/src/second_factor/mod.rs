//! A user's second factor: an authenticator app (TOTP, RFC 6238) and the recovery codes beside it.
//!
//! | invariant | where |
//! |---|---|
//! | one app at a time; another one takes its place | `decide::while_enrolled` |
//! | that an app is confirmed is recorded before it counts, so recording it twice changes nothing | `decide::enrol` |
//! | recovery codes are used and renewed only while there is an app | `decide::while_enrolled` |
//! | taking a lost one away is recorded each time, with its reason | [`SecondFactorCommand::RecordReset`] |
//! | the log never holds a secret, a code, or their hashes | [`SecondFactorEvent`] |
//!
//! The aggregate's id is the user's.

mod decide;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Classified, ErrorKind};
use crate::event_sourced::EventSourced;
use crate::ids::{TenantId, UserId};
use crate::values::Reason;

/// What can be asked of a second factor.
#[derive(Debug, Clone)]
pub enum SecondFactorCommand {
    /// Record that an app was confirmed by a code.
    RecordEnrolled {
        /// The user.
        user_id: UserId,
        /// The user's tenant; none for staff.
        tenant_id: Option<TenantId>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that another app was confirmed in place of the one in use.
    RecordReplaced {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that there are new recovery codes in place of those of before.
    RecordRecoveryCodesRenewed {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that it was lost, and is taken away by somebody else so that the user can begin anew.
    RecordReset {
        /// The user.
        user_id: UserId,
        /// The user's tenant; none for staff.
        tenant_id: Option<TenantId>,
        /// Why, and how it was made sure that it is the user who asks.
        reason: Reason,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that a recovery code was used.
    RecordRecoveryCodeUsed {
        /// How many are left.
        left: u32,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Record that the app was given up.
    RecordDisabled {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// What happened to a second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum SecondFactorEvent {
    TotpEnrolled { user_id: UserId, tenant_id: Option<TenantId>, at: DateTime<Utc> },
    RecoveryCodeUsed { user_id: UserId, tenant_id: Option<TenantId>, left: u32, at: DateTime<Utc> },
    TotpDisabled { user_id: UserId, tenant_id: Option<TenantId>, at: DateTime<Utc> },
    TotpReplaced { user_id: UserId, tenant_id: Option<TenantId>, at: DateTime<Utc> },
    RecoveryCodesRenewed { user_id: UserId, tenant_id: Option<TenantId>, at: DateTime<Utc> },
    TotpReset { user_id: UserId, tenant_id: Option<TenantId>, reason: Reason, at: DateTime<Utc> },
}

domain_events!(SecondFactorEvent {
    TotpEnrolled = "1",
    RecoveryCodeUsed = "1",
    TotpDisabled = "1",
    TotpReplaced = "1",
    RecoveryCodesRenewed = "1",
    TotpReset = "1",
});

/// The situations of a second factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondFactor {
    /// Never enrolled.
    #[default]
    Absent,
    /// Asked for at each sign-in.
    Enrolled(UserId, Option<TenantId>),
    /// Given up, or taken away because it was lost.
    Disabled(UserId, Option<TenantId>),
}

/// Why a second factor refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecondFactorError {
    /// There is an app already.
    #[error(
        "an authenticator app is set up already; send one of its codes, or a recovery code, to put another one in its place"
    )]
    AlreadyEnrolled,
    /// There is none.
    #[error("no authenticator app is set up")]
    NotEnrolled,
}

impl Classified for SecondFactorError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyEnrolled => "totp.already_enrolled",
            Self::NotEnrolled => "totp.not_enrolled",
        }
    }
}

aggregate!(SecondFactor, "second_factor", SecondFactorCommand, SecondFactorEvent, SecondFactorError);

impl SecondFactor {
    #[expect(clippy::needless_pass_by_value, reason = "the form that every aggregate has")]
    pub(super) fn evolve(self, event: SecondFactorEvent) -> Self {
        match event {
            SecondFactorEvent::TotpEnrolled { user_id, tenant_id, .. } => Self::Enrolled(user_id, tenant_id),
            SecondFactorEvent::TotpDisabled { user_id, tenant_id, .. }
            | SecondFactorEvent::TotpReset { user_id, tenant_id, .. } => Self::Disabled(user_id, tenant_id),
            SecondFactorEvent::RecoveryCodeUsed { .. }
            | SecondFactorEvent::TotpReplaced { .. }
            | SecondFactorEvent::RecoveryCodesRenewed { .. } => self,
        }
    }
}

impl EventSourced for SecondFactor {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    fn absent() -> SecondFactorError {
        SecondFactorError::NotEnrolled
    }

    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Absent => None,
            Self::Enrolled(_, tenant_id) | Self::Disabled(_, tenant_id) => *tenant_id,
        }
    }
}
