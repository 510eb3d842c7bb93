use chrono::{DateTime, TimeDelta, Utc};

use super::{Impersonation, ImpersonationCommand, ImpersonationError, ImpersonationEvent, OpenImpersonation};
use crate::ids::UserId;

/// The shortest time that one may last.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(1);

/// The longest time that one may last.
pub const LONGEST: TimeDelta = TimeDelta::hours(1);

impl Impersonation {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: ImpersonationCommand) -> Result<Vec<ImpersonationEvent>, ImpersonationError> {
        match command {
            ImpersonationCommand::Open(new) => self.open(new),
            ImpersonationCommand::End { ended_by, at } => self.end(ended_by, at),
        }
    }

    fn open(&self, new: OpenImpersonation) -> Result<Vec<ImpersonationEvent>, ImpersonationError> {
        let OpenImpersonation { impersonation_id, tenant_id, staff_id, user_id, reason, until, at } = new;
        if *self != Self::Absent {
            return Err(ImpersonationError::AlreadyOpened);
        }
        if !(SHORTEST..=LONGEST).contains(&(until - at)) {
            return Err(ImpersonationError::Length);
        }
        let opened = ImpersonationEvent::ImpersonationOpened {
            impersonation_id,
            tenant_id,
            staff_id,
            user_id,
            reason,
            until,
            at,
        };
        Ok(vec![opened])
    }

    fn end(&self, ended_by: UserId, at: DateTime<Utc>) -> Result<Vec<ImpersonationEvent>, ImpersonationError> {
        match self {
            Self::Absent => Err(ImpersonationError::NotFound),
            Self::Ended(_) => Ok(Vec::new()),
            Self::Open(details) if details.until <= at => Ok(Vec::new()),
            Self::Open(details) => {
                let (impersonation_id, tenant_id) = (details.impersonation_id, details.tenant_id);
                Ok(vec![ImpersonationEvent::ImpersonationEnded { impersonation_id, tenant_id, ended_by, at }])
            }
        }
    }
}
