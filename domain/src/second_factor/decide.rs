use chrono::{DateTime, Utc};

use super::{SecondFactor, SecondFactorCommand, SecondFactorError, SecondFactorEvent};
use crate::ids::{TenantId, UserId};

impl SecondFactor {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: SecondFactorCommand) -> Result<Vec<SecondFactorEvent>, SecondFactorError> {
        match command {
            SecondFactorCommand::RecordEnrolled { user_id, tenant_id, at } => self.enrol(user_id, tenant_id, at),
            SecondFactorCommand::RecordRecoveryCodeUsed { left, at } => self.use_recovery_code(left, at),
            SecondFactorCommand::RecordDisabled { at } => self.disable(at),
        }
    }

    fn enrol(
        self,
        user_id: UserId,
        tenant_id: Option<TenantId>,
        at: DateTime<Utc>,
    ) -> Result<Vec<SecondFactorEvent>, SecondFactorError> {
        match self {
            Self::Absent | Self::Disabled(..) => Ok(vec![SecondFactorEvent::TotpEnrolled { user_id, tenant_id, at }]),
            Self::Enrolled(..) => Err(SecondFactorError::AlreadyEnrolled),
        }
    }

    fn use_recovery_code(self, left: u32, at: DateTime<Utc>) -> Result<Vec<SecondFactorEvent>, SecondFactorError> {
        let Self::Enrolled(user_id, tenant_id) = self else { return Err(SecondFactorError::NotEnrolled) };
        Ok(vec![SecondFactorEvent::RecoveryCodeUsed { user_id, tenant_id, left, at }])
    }

    fn disable(self, at: DateTime<Utc>) -> Result<Vec<SecondFactorEvent>, SecondFactorError> {
        match self {
            Self::Absent => Err(SecondFactorError::NotEnrolled),
            Self::Disabled(..) => Ok(Vec::new()),
            Self::Enrolled(user_id, tenant_id) => Ok(vec![SecondFactorEvent::TotpDisabled { user_id, tenant_id, at }]),
        }
    }
}
