use chrono::{DateTime, Utc};

use crate::access::RoleName;
use crate::ids::{InvitationId, TenantId};
use crate::values::{Email, Personal};

/// What can be asked of an invitation.
#[derive(Debug, Clone)]
pub enum InvitationCommand {
    /// Make it.
    Invite(InviteUser),
    /// Make one that the company has to send: until then nobody can accept it.
    Propose(InviteUser),
    /// Record that its link is mailed again, and lasts longer; of one that was proposed, that the company sends it.
    Resend {
        /// When it can no longer be accepted.
        expires_at: DateTime<Utc>,
        /// Now.
        at: DateTime<Utc>,
    },
    /// Take it back.
    Revoke {
        /// Now.
        at: DateTime<Utc>,
    },
    /// Take it up.
    Accept {
        /// Now.
        at: DateTime<Utc>,
    },
}

/// A new invitation.
#[derive(Debug, Clone)]
pub struct InviteUser {
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
    /// Now.
    pub at: DateTime<Utc>,
}
