use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::InvitationEvent;
use crate::access::RoleName;
use crate::ids::{InvitationId, TenantId};
use crate::values::{Email, Personal};

/// The situations of an invitation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Invitation {
    /// Never made.
    #[default]
    Absent,
    /// Waits for the company to send it.
    Proposed(InvitationDetails),
    /// Can be accepted in its time.
    Open(InvitationDetails),
    /// Taken up; its user is or is about to be registered.
    Accepted(InvitationDetails),
    /// Taken back.
    Revoked(InvitationDetails),
}

/// What is known of an invitation from the first event on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InvitationDetails {
    /// Its id.
    pub invitation_id: InvitationId,
    /// The company.
    pub tenant_id: TenantId,
    /// The address that the person will sign in with.
    pub email: Personal<Email>,
    /// What the person will be there.
    pub role: RoleName,
    /// When it can no longer be accepted.
    pub expires_at: DateTime<Utc>,
}

impl Invitation {
    /// What is known of it, in every situation but `Absent`.
    pub fn details(&self) -> Option<&InvitationDetails> {
        match self {
            Self::Absent => None,
            Self::Proposed(details) | Self::Open(details) | Self::Accepted(details) | Self::Revoked(details) => {
                Some(details)
            }
        }
    }

    pub(super) fn evolve(self, event: InvitationEvent) -> Self {
        match event {
            InvitationEvent::UserInvited { invitation_id, tenant_id, email, role, expires_at, .. } => {
                Self::Open(InvitationDetails { invitation_id, tenant_id, email, role, expires_at })
            }
            InvitationEvent::InvitationProposed { invitation_id, tenant_id, email, role, expires_at, .. } => {
                Self::Proposed(InvitationDetails { invitation_id, tenant_id, email, role, expires_at })
            }
            InvitationEvent::InvitationResent { expires_at, .. } => {
                self.become_with(|details| Self::Open(InvitationDetails { expires_at, ..details }))
            }
            InvitationEvent::InvitationRevoked { .. } => self.become_with(Self::Revoked),
            InvitationEvent::InvitationAccepted { .. } => self.become_with(Self::Accepted),
        }
    }

    fn become_with(self, situation: impl FnOnce(InvitationDetails) -> Self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Proposed(details) | Self::Open(details) | Self::Accepted(details) | Self::Revoked(details) => {
                situation(details)
            }
        }
    }
}
