use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

/// What happened to a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum UserEvent {
    UserRegistered {
        user_id: UserId,
        tenant_id: TenantId,
        email: Personal<Email>,
        name: Personal<DisplayName>,
        role: Role,
        at: DateTime<Utc>,
    },
    UserPasswordSet {
        user_id: UserId,
        tenant_id: TenantId,
        at: DateTime<Utc>,
    },
}

domain_events!(UserEvent { UserRegistered = "1", UserPasswordSet = "1" });
