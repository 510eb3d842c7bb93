use chrono::{DateTime, Utc};

use super::{OpenSession, RevocationReason, Session, SessionCommand, SessionError, SessionEvent};

impl Session {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: SessionCommand) -> Result<Vec<SessionEvent>, SessionError> {
        match command {
            SessionCommand::Open(session) => self.open(session),
            SessionCommand::Revoke { reason, at } => self.revoke(reason, at),
        }
    }

    fn open(&self, new: OpenSession) -> Result<Vec<SessionEvent>, SessionError> {
        if !matches!(self, Self::Absent) {
            return Err(SessionError::AlreadyOpened);
        }
        let OpenSession { session_id, user_id, tenant_id, method, user_agent, ip, ends_at, at } = new;
        Ok(vec![SessionEvent::SessionOpened { session_id, user_id, tenant_id, method, user_agent, ip, ends_at, at }])
    }

    fn revoke(&self, reason: RevocationReason, at: DateTime<Utc>) -> Result<Vec<SessionEvent>, SessionError> {
        match self {
            Self::Absent => Err(SessionError::NotFound),
            Self::Revoked(_) => Ok(Vec::new()),
            Self::Open(details) => Ok(vec![SessionEvent::SessionRevoked {
                session_id: details.session_id,
                user_id: details.user_id,
                tenant_id: details.tenant_id,
                reason,
                at,
            }]),
        }
    }
}
