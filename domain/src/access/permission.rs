use super::{Reach, ReachSet};

const WHOLE: ReachSet = ReachSet::ALL;
const TIERS: ReachSet = ReachSet::of(&[Reach::Stats, Reach::Anonymized, Reach::Limited, Reach::All]);
/// Of what people do, there are single things and no sums; and there is what one has done oneself.
const SINGLE: ReachSet = ReachSet::of(&[Reach::Own, Reach::Anonymized, Reach::Limited, Reach::All]);

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $resource:literal $action:literal, $reaches:ident;)+) => {
        /// A right that Synkro's own operations ask for, written `resource:action`. Its number is its bit in [`Rights`].
        ///
        /// To add one: a line with the next free number.
        ///
        /// [`Rights`]: super::Rights
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission { $($(#[$doc])* $name = $bit),+ }

        impl Permission {
            /// Every built-in right, in the order of their bits.
            pub const ALL: [Self; [$($bit),+].len()] = [$(Self::$name),+];

            /// What it is about.
            pub fn resource(self) -> &'static str {
                match self { $(Self::$name => $resource),+ }
            }

            /// What it allows to do.
            pub fn action(self) -> &'static str {
                match self { $(Self::$name => $action),+ }
            }

            /// The frozen name, as events and error texts show it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => concat!($resource, ":", $action)),+ }
            }

            /// The reaches that make a difference to it; a role that has none of them does not have the right.
            pub fn reaches(self) -> ReachSet {
                match self { $(Self::$name => $reaches),+ }
            }
        }
    };
}

permissions! {
    /// See runs and their steps.
    RunsRead = 0, "runs" "read", WHOLE;
    /// Start a run, cancel it, send its notification again.
    RunsStart = 1, "runs" "start", WHOLE;
    /// See reports.
    ReportsRead = 2, "reports" "read", TIERS;
    /// Change integrations and automation.
    SettingsWrite = 3, "settings" "write", WHOLE;
    /// Change users of the own company, keep them out, see and end their sessions.
    UsersWrite = 4, "users" "write", WHOLE;
    /// See roles, the catalogue of services, and what other users may.
    RolesRead = 5, "roles" "read", WHOLE;
    /// Change roles and the catalogue of services.
    RolesWrite = 6, "roles" "write", WHOLE;
    /// See how much was done and found: runs, reports, dialogues, agents.
    AnalyticsRead = 7, "analytics" "read", TIERS;
    /// See what deals brought in.
    FinanceViewRevenue = 8, "finance" "view_revenue", WHOLE;
    /// See what is left of it.
    FinanceViewProfit = 9, "finance" "view_profit", WHOLE;
    /// See what the work cost.
    FinanceViewCosts = 10, "finance" "view_costs", WHOLE;
    /// See how the pipeline works: steps, durations, failures.
    InfrastructureRead = 11, "infrastructure" "read", WHOLE;
    /// See the keys of the company's programs; never their secrets.
    ApiKeysRead = 12, "api_keys" "read", WHOLE;
    /// Create and revoke keys of the company's programs.
    ApiKeysWrite = 13, "api_keys" "write", WHOLE;
    /// See users of the own company, and who was invited.
    UsersView = 14, "users" "view", WHOLE;
    /// Invite people into the own company.
    UsersCreate = 15, "users" "create", WHOLE;
    /// See the company's history: who did what, when, and by which right.
    AuditRead = 16, "audit" "read", SINGLE;
    /// See when staff of the platform acted in the name of the company's users, and why.
    ImpersonationsRead = 17, "impersonations" "read", WHOLE;
    /// End that before its time.
    ImpersonationsEnd = 18, "impersonations" "end", WHOLE;
}

// Rights keep one bit per right in a word.
const _: () = assert!(Permission::COUNT <= 64);

impl Permission {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its bit.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether it decides who may do what, or where the company's data comes from and goes to, so that only the one who has it
    /// may use it, and nobody in that one's name. Every right is named here, so that a new one is decided about.
    pub const fn needs_own_hands(self) -> bool {
        match self {
            Self::SettingsWrite
            | Self::UsersWrite
            | Self::UsersCreate
            | Self::RolesWrite
            | Self::ApiKeysWrite
            | Self::ImpersonationsEnd => true,
            Self::RunsRead
            | Self::RunsStart
            | Self::ReportsRead
            | Self::RolesRead
            | Self::AnalyticsRead
            | Self::FinanceViewRevenue
            | Self::FinanceViewProfit
            | Self::FinanceViewCosts
            | Self::InfrastructureRead
            | Self::ApiKeysRead
            | Self::UsersView
            | Self::AuditRead
            | Self::ImpersonationsRead => false,
        }
    }

    /// The built-in right of this name.
    pub fn find(resource: &str, action: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.resource() == resource && right.action() == action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_from_nought_without_a_gap() {
        for (n, permission) in Permission::ALL.into_iter().enumerate() {
            assert_eq!(permission.index(), n, "{}", permission.name());
        }
    }

    #[test]
    fn a_right_is_found_by_its_name_alone() {
        for permission in Permission::ALL {
            assert_eq!(Permission::find(permission.resource(), permission.action()), Some(permission));
        }
        assert_eq!(Permission::find("reports", "delete"), None);
    }
}
