//! Who may do what. A closed table for the roles that exist from the start; roles of a tenant's own build on it later.

use serde::{Deserialize, Serialize};

/// A right, written `resource:action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See runs and their steps.
    RunsRead,
    /// Start a run, cancel it, send its notification again.
    RunsStart,
    /// See reports.
    ReportsRead,
    /// Change integrations and automation.
    SettingsWrite,
    /// Register users of the own company.
    UsersWrite,
}

impl Permission {
    /// The frozen name, as events and error texts show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RunsRead => "runs:read",
            Self::RunsStart => "runs:start",
            Self::ReportsRead => "reports:read",
            Self::SettingsWrite => "settings:write",
            Self::UsersWrite => "users:write",
        }
    }
}

/// What a person is in their tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the company's account: everything.
    Owner,
    /// Reads reports; settings are closed (requirement S3).
    User,
}

impl Role {
    /// The frozen name, as tokens and events carry it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::User => "user",
        }
    }

    /// True where the role has the right.
    pub fn allows(self, permission: Permission) -> bool {
        match self {
            Self::Owner => true,
            Self::User => matches!(permission, Permission::RunsRead | Permission::ReportsRead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_reads_and_changes_nothing() {
        let allowed = |permission| Role::User.allows(permission);
        assert!(allowed(Permission::RunsRead) && allowed(Permission::ReportsRead));
        assert!(
            !allowed(Permission::RunsStart) && !allowed(Permission::SettingsWrite) && !allowed(Permission::UsersWrite)
        );
    }
}
