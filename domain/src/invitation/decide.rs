use chrono::{DateTime, Utc};

use super::{Invitation, InvitationCommand, InvitationDetails, InvitationError, InvitationEvent, InviteUser};
use crate::ids::UserId;

impl Invitation {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: InvitationCommand) -> Result<Vec<InvitationEvent>, InvitationError> {
        match command {
            InvitationCommand::Invite(new) => self.invite(new),
            InvitationCommand::Propose(new) => self.propose(new),
            InvitationCommand::Resend { expires_at, at } => self.resend(expires_at, at),
            InvitationCommand::Revoke { at } => self.revoke(at),
            InvitationCommand::Accept { at } => self.accept(at),
        }
    }

    fn invite(&self, new: InviteUser) -> Result<Vec<InvitationEvent>, InvitationError> {
        let InviteUser { invitation_id, tenant_id, email, role, expires_at, at } = self.first(new)?;
        Ok(vec![InvitationEvent::UserInvited { invitation_id, tenant_id, email, role, expires_at, at }])
    }

    fn propose(&self, new: InviteUser) -> Result<Vec<InvitationEvent>, InvitationError> {
        let InviteUser { invitation_id, tenant_id, email, role, expires_at, at } = self.first(new)?;
        Ok(vec![InvitationEvent::InvitationProposed { invitation_id, tenant_id, email, role, expires_at, at }])
    }

    fn first(&self, new: InviteUser) -> Result<InviteUser, InvitationError> {
        if matches!(self, Self::Absent) { Ok(new) } else { Err(InvitationError::AlreadyExists) }
    }

    fn resend(&self, expires_at: DateTime<Utc>, at: DateTime<Utc>) -> Result<Vec<InvitationEvent>, InvitationError> {
        let &InvitationDetails { invitation_id, tenant_id, .. } = self.unanswered()?;
        Ok(vec![InvitationEvent::InvitationResent { invitation_id, tenant_id, expires_at, at }])
    }

    fn revoke(&self, at: DateTime<Utc>) -> Result<Vec<InvitationEvent>, InvitationError> {
        if let Self::Revoked(_) = self {
            return Ok(Vec::new());
        }
        let InvitationDetails { invitation_id, tenant_id, email, .. } = self.unanswered()?.clone();
        Ok(vec![InvitationEvent::InvitationRevoked { invitation_id, tenant_id, email, at }])
    }

    fn accept(&self, at: DateTime<Utc>) -> Result<Vec<InvitationEvent>, InvitationError> {
        if let Self::Accepted(_) = self {
            return Ok(Vec::new());
        }
        let InvitationDetails { invitation_id, tenant_id, email, expires_at, .. } = self.unanswered()?.clone();
        if let Self::Proposed(_) = self {
            return Err(InvitationError::NotSent);
        }
        if at >= expires_at {
            return Err(InvitationError::Expired);
        }
        let user_id = UserId::of_invitation(invitation_id);
        Ok(vec![InvitationEvent::InvitationAccepted { invitation_id, tenant_id, email, user_id, at }])
    }

    fn unanswered(&self) -> Result<&InvitationDetails, InvitationError> {
        match self {
            Self::Absent => Err(InvitationError::NotFound),
            Self::Proposed(details) | Self::Open(details) => Ok(details),
            Self::Accepted(_) => Err(InvitationError::Accepted),
            Self::Revoked(_) => Err(InvitationError::Revoked),
        }
    }
}
