//! How often something may be asked of Synkro.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use async_trait::async_trait;
use domain::ids::TenantId;

/// Operations that share a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitClass {
    /// Those that take a password or a mailed link: guessing must be slow.
    Auth,
    /// Renewing a session, which honest clients do by themselves.
    Refresh,
    /// Everything else that people and programs ask.
    Api,
    /// What other services report.
    Webhook,
}

impl LimitClass {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Refresh, Self::Api, Self::Webhook];

    /// The frozen name, as headers and settings show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Refresh => "refresh",
            Self::Api => "api",
            Self::Webhook => "webhook",
        }
    }
}

/// For whom requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitSubject {
    /// A company, with all its users.
    Tenant(TenantId),
    /// A client's address; made by [`LimitSubject::address`].
    Address(IpAddr),
}

impl LimitSubject {
    /// The client at this address. One subscriber holds a whole /64 of IPv6 (RFC 6177), so that is one subject.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// What kind of subject it is, as headers show it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Tenant(_) => "tenant",
            Self::Address(_) => "address",
        }
    }
}

/// Where the budget of one subject stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// For which operations.
    pub class: LimitClass,
    /// Whose.
    pub subject: LimitSubject,
    /// How many requests it holds when full.
    pub limit: u32,
    /// How long it takes to fill.
    pub window: Duration,
    /// How many requests it holds now.
    pub remaining: u32,
    /// How long until it is full again.
    pub full_in: Duration,
}

/// Whether a request may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may, and was counted in each of these. Empty where the class has no limit.
    Granted(Vec<Budget>),
    /// It may not, and was counted in none of these.
    Refused {
        /// All budgets of the request, not only those that are used up.
        budgets: Vec<Budget>,
        /// How long until the same request is granted, where nobody else asks.
        wait: Duration,
    },
}

impl Verdict {
    /// The budgets of the request.
    pub fn budgets(&self) -> &[Budget] {
        match self {
            Self::Granted(budgets) | Self::Refused { budgets, .. } => budgets,
        }
    }
}

/// Counts requests, over all processes as far as they can reach each other.
#[async_trait]
pub trait RateLimits: Send + Sync {
    /// Counts one request for all of these subjects, or, where one of them has used up its budget, for none. It always
    /// answers: where the shared count is out of reach, this process counts by itself.
    async fn take(&self, class: LimitClass, subjects: &[LimitSubject]) -> Verdict;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_version_six_is_its_network() {
        let subject = |text: &str| LimitSubject::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
    }
}
