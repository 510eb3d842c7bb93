use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{ImpersonationId, TenantId, UserId};
use crate::values::Reason;

/// What happened to an impersonation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum ImpersonationEvent {
    ImpersonationOpened {
        impersonation_id: ImpersonationId,
        tenant_id: TenantId,
        staff_id: UserId,
        user_id: UserId,
        reason: Reason,
        until: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    ImpersonationEnded {
        impersonation_id: ImpersonationId,
        tenant_id: TenantId,
        ended_by: UserId,
        at: DateTime<Utc>,
    },
}

domain_events!(ImpersonationEvent { ImpersonationOpened = "1", ImpersonationEnded = "1" });
