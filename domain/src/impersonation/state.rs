use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ImpersonationEvent;
use crate::ids::{ImpersonationId, TenantId, UserId};
use crate::values::Reason;

/// The situations of an impersonation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Impersonation {
    /// Never opened.
    #[default]
    Absent,
    /// Not ended by anybody; its time may be over.
    Open(ImpersonationDetails),
    /// Ended before its time.
    Ended(ImpersonationDetails),
}

/// What is known of an impersonation from its first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImpersonationDetails {
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
}

impl Impersonation {
    /// The details, in every situation but `Absent`.
    pub fn details(&self) -> Option<&ImpersonationDetails> {
        match self {
            Self::Absent => None,
            Self::Open(details) | Self::Ended(details) => Some(details),
        }
    }

    /// Whether the member of staff may act by it at this time: then its details.
    pub fn allows_at(&self, now: DateTime<Utc>) -> Option<&ImpersonationDetails> {
        match self {
            Self::Open(details) if now < details.until => Some(details),
            Self::Absent | Self::Open(_) | Self::Ended(_) => None,
        }
    }

    pub(super) fn evolve(self, event: ImpersonationEvent) -> Self {
        match event {
            ImpersonationEvent::ImpersonationOpened {
                impersonation_id,
                tenant_id,
                staff_id,
                user_id,
                reason,
                until,
                at: _,
            } => Self::Open(ImpersonationDetails { impersonation_id, tenant_id, staff_id, user_id, reason, until }),
            ImpersonationEvent::ImpersonationEnded { .. } => match self {
                Self::Open(details) | Self::Ended(details) => Self::Ended(details),
                Self::Absent => Self::Absent,
            },
        }
    }
}
