use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::RoleName;
use crate::ids::{InvitationId, TenantId, UserId};
use crate::values::{Email, Personal};

/// What happened to an invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands and of the state")]
pub enum InvitationEvent {
    UserInvited {
        invitation_id: InvitationId,
        tenant_id: TenantId,
        email: Personal<Email>,
        role: RoleName,
        expires_at: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    InvitationProposed {
        invitation_id: InvitationId,
        tenant_id: TenantId,
        email: Personal<Email>,
        role: RoleName,
        expires_at: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    InvitationResent {
        invitation_id: InvitationId,
        tenant_id: TenantId,
        expires_at: DateTime<Utc>,
        at: DateTime<Utc>,
    },
    InvitationRevoked {
        invitation_id: InvitationId,
        tenant_id: TenantId,
        email: Personal<Email>,
        at: DateTime<Utc>,
    },
    InvitationAccepted {
        invitation_id: InvitationId,
        tenant_id: TenantId,
        email: Personal<Email>,
        user_id: UserId,
        at: DateTime<Utc>,
    },
}

domain_events!(InvitationEvent {
    UserInvited = "1",
    InvitationProposed = "1",
    InvitationResent = "1",
    InvitationRevoked = "1",
    InvitationAccepted = "1",
});
