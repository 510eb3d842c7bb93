use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{OwnersCommand, OwnersError, OwnersEvent};
use crate::ids::{TenantId, UserId};

/// Who owns the company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owners {
    /// Nobody has been appointed yet.
    #[default]
    Absent,
    /// These.
    Present(TenantId, BTreeSet<UserId>),
}

impl Owners {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: OwnersCommand) -> Result<Vec<OwnersEvent>, OwnersError> {
        match command {
            OwnersCommand::Appoint { tenant_id, user_id, at } => Ok(self.appoint(tenant_id, user_id, at)),
            OwnersCommand::Dismiss { tenant_id, user_id, at } => self.dismiss(tenant_id, user_id, at),
        }
    }

    fn appoint(&self, tenant_id: TenantId, user_id: UserId, at: DateTime<Utc>) -> Vec<OwnersEvent> {
        if self.includes(user_id) {
            return Vec::new();
        }
        vec![OwnersEvent::OwnerAppointed { tenant_id, user_id, at }]
    }

    fn dismiss(
        &self,
        tenant_id: TenantId,
        user_id: UserId,
        at: DateTime<Utc>,
    ) -> Result<Vec<OwnersEvent>, OwnersError> {
        match self {
            Self::Present(_, owners) if owners.contains(&user_id) && owners.len() == 1 => Err(OwnersError::Last),
            Self::Present(_, owners) if owners.contains(&user_id) => {
                Ok(vec![OwnersEvent::OwnerDismissed { tenant_id, user_id, at }])
            }
            Self::Absent | Self::Present(..) => Ok(Vec::new()),
        }
    }

    /// True where the person is one of them.
    pub fn includes(&self, user_id: UserId) -> bool {
        matches!(self, Self::Present(_, owners) if owners.contains(&user_id))
    }

    pub(super) fn evolve(self, event: OwnersEvent) -> Self {
        let (tenant_id, user_id, appointed) = match event {
            OwnersEvent::OwnerAppointed { tenant_id, user_id, .. } => (tenant_id, user_id, true),
            OwnersEvent::OwnerDismissed { tenant_id, user_id, .. } => (tenant_id, user_id, false),
        };
        let mut owners = match self {
            Self::Absent => BTreeSet::new(),
            Self::Present(_, owners) => owners,
        };
        if appointed {
            owners.insert(user_id)
        } else {
            owners.remove(&user_id)
        };
        Self::Present(tenant_id, owners)
    }
}
