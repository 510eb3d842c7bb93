use chrono::{DateTime, Utc};

use crate::access::{Authority, Grant, Level, ManageList, RoleDefinition};
use crate::ids::TenantId;
use crate::values::DisplayName;

/// What can be asked of a role, by whom, and when.
#[derive(Debug, Clone)]
pub struct RoleCommand {
    /// What.
    pub ask: RoleAsk,
    /// Who decides.
    pub by: Authority,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What can be asked of a role.
#[derive(Debug, Clone)]
pub enum RoleAsk {
    /// Define it anew; after it was removed too.
    Define(TenantId, RoleDefinition),
    /// Define it unless there has ever been a role of this name.
    Provide(TenantId, RoleDefinition),
    /// Change all but its name and permissions.
    Change(RoleChange),
    /// Add a permission.
    Grant(Grant),
    /// Take a permission away.
    Revoke(Grant),
    /// Take the role out of use. Who still has it may nothing.
    Remove,
}

/// What a role is from now on.
#[derive(Debug, Clone)]
pub struct RoleChange {
    /// What people call it.
    pub title: DisplayName,
    /// How high it stands.
    pub level: Level,
    /// Whose rights and users it may change.
    pub may_manage: ManageList,
}
