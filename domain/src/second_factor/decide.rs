use chrono::{DateTime, Utc};

use super::{SecondFactor, SecondFactorCommand, SecondFactorError, SecondFactorEvent};
use crate::ids::{TenantId, UserId};

type Decision = Result<Vec<SecondFactorEvent>, SecondFactorError>;

impl SecondFactor {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: SecondFactorCommand) -> Decision {
        match command {
            SecondFactorCommand::RecordEnrolled { user_id, tenant_id, at } => Ok(self.enrol(user_id, tenant_id, at)),
            SecondFactorCommand::RecordReplaced { at } => {
                self.while_enrolled(|user_id, tenant_id| SecondFactorEvent::TotpReplaced { user_id, tenant_id, at })
            }
            SecondFactorCommand::RecordRecoveryCodesRenewed { at } => self.while_enrolled(|user_id, tenant_id| {
                SecondFactorEvent::RecoveryCodesRenewed { user_id, tenant_id, at }
            }),
            SecondFactorCommand::RecordReset { user_id, tenant_id, reason, at } => {
                Ok(vec![SecondFactorEvent::TotpReset { user_id, tenant_id, reason, at }])
            }
            SecondFactorCommand::RecordRecoveryCodeUsed { left, at } => self.while_enrolled(|user_id, tenant_id| {
                SecondFactorEvent::RecoveryCodeUsed { user_id, tenant_id, left, at }
            }),
            SecondFactorCommand::RecordDisabled { at } => self.disable(at),
        }
    }

    fn enrol(&self, user_id: UserId, tenant_id: Option<TenantId>, at: DateTime<Utc>) -> Vec<SecondFactorEvent> {
        match self {
            Self::Absent | Self::Disabled(..) => vec![SecondFactorEvent::TotpEnrolled { user_id, tenant_id, at }],
            Self::Enrolled(..) => Vec::new(),
        }
    }

    fn while_enrolled(&self, event: impl FnOnce(UserId, Option<TenantId>) -> SecondFactorEvent) -> Decision {
        match *self {
            Self::Enrolled(user_id, tenant_id) => Ok(vec![event(user_id, tenant_id)]),
            Self::Absent | Self::Disabled(..) => Err(SecondFactorError::NotEnrolled),
        }
    }

    fn disable(&self, at: DateTime<Utc>) -> Decision {
        match *self {
            Self::Absent => Err(SecondFactorError::NotEnrolled),
            Self::Disabled(..) => Ok(Vec::new()),
            Self::Enrolled(user_id, tenant_id) => Ok(vec![SecondFactorEvent::TotpDisabled { user_id, tenant_id, at }]),
        }
    }
}
