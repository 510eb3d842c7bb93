//! The limits of requests to Synkro.

use std::time::Duration;

use application::ports::limits::{Budget, LimitClass, LimitSubject, RateLimits, Verdict};
use async_trait::async_trait;
use tokio::time::Instant;

use super::memory::{Buckets, Taken};
use super::{Rate, Redis};

/// How long a budget takes to fill.
const WINDOW: Duration = Duration::from_mins(1);

/// How many budgets a process remembers: some 5 MB.
const MOST: usize = 65_536;

/// How much longer than Redis this process may think that a budget is used up: the time that an answer takes.
const SLACK: Duration = Duration::from_millis(100);

/// Requests a minute, for each company and for each address. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Signing in, registering, and links by mail.
    pub auth: u32,
    /// Renewing sessions.
    pub refresh: u32,
    /// The API.
    pub api: u32,
    /// What other services report.
    pub webhook: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { auth: 5, refresh: 30, api: 100, webhook: 1_000 }
    }
}

impl Quotas {
    /// No limits.
    pub const NONE: Self = Self { auth: 0, refresh: 0, api: 0, webhook: 0 };

    fn rate(&self, class: LimitClass) -> Option<Rate> {
        let count = match class {
            LimitClass::Auth => self.auth,
            LimitClass::Refresh => self.refresh,
            LimitClass::Api => self.api,
            LimitClass::Webhook => self.webhook,
        };
        (count > 0).then(|| Rate::per_window(count, WINDOW))
    }
}

/// Counts requests: in Redis where there is one that answers, else in this process.
pub struct RequestLimits {
    quotas: Quotas,
    redis: Option<Redis>,
    memory: Buckets<BucketKey>,
}

type BucketKey = (LimitClass, LimitSubject);

impl RequestLimits {
    /// Limits over all processes that use this Redis; without one, over this process.
    pub fn new(quotas: Quotas, redis: Option<Redis>) -> Self {
        Self { quotas, redis, memory: Buckets::new(MOST) }
    }

    async fn shared(&self, keys: &[BucketKey], rate: Rate) -> Option<Taken> {
        let redis = self.redis.as_ref()?;
        if let Some(refused) = self.memory.refusal(keys, rate, SLACK, Instant::now()) {
            return Some(refused);
        }
        let names: Vec<String> = keys.iter().map(name).collect();
        let (given, full_in) = redis.take(&names, rate).await?;
        self.memory.learn(keys, &full_in, Instant::now());
        Some(Taken { given, full_in })
    }
}

#[async_trait]
impl RateLimits for RequestLimits {
    async fn take(&self, class: LimitClass, subjects: &[LimitSubject]) -> Verdict {
        let Some(rate) = self.quotas.rate(class).filter(|_| !subjects.is_empty()) else {
            return Verdict::Granted(Vec::new());
        };
        let keys: Vec<BucketKey> = subjects.iter().map(|subject| (class, *subject)).collect();
        let taken = match self.shared(&keys, rate).await {
            Some(taken) => taken,
            None => self.memory.take(&keys, rate, Instant::now()),
        };
        verdict(&keys, rate, &taken)
    }
}

fn verdict(keys: &[BucketKey], rate: Rate, taken: &Taken) -> Verdict {
    let budget = |((class, subject), full_in): (&BucketKey, &Duration)| Budget {
        class: *class,
        subject: *subject,
        limit: rate.burst(),
        window: WINDOW,
        remaining: rate.remaining(*full_in),
        full_in: *full_in,
    };
    let budgets = keys.iter().zip(&taken.full_in).map(budget).collect();
    if taken.given {
        return Verdict::Granted(budgets);
    }
    let wait = taken.full_in.iter().map(|full_in| rate.wait(*full_in)).max().unwrap_or_default();
    Verdict::Refused { budgets, wait }
}

/// The bucket's name in Redis.
fn name((class, subject): &BucketKey) -> String {
    let class = class.name();
    match subject {
        LimitSubject::Tenant(tenant) => format!("limit:{class}:tenant:{tenant}"),
        LimitSubject::Address(address) => format!("limit:{class}:address:{address}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(last: u8) -> LimitSubject {
        LimitSubject::address(Ipv4Addr::new(192, 0, 2, last).into())
    }

    #[tokio::test]
    async fn the_usual_limits_are_kept_without_redis_and_told() {
        let limits = RequestLimits::new(Quotas::default(), None);
        for (class, most) in LimitClass::ALL.into_iter().zip([5, 30, 100, 1_000]) {
            let (mut granted, started) = (0, Instant::now());
            let (budgets, wait) = loop {
                match limits.take(class, &[address(1)]).await {
                    Verdict::Granted(_) => granted += 1,
                    Verdict::Refused { budgets, wait } => break (budgets, wait),
                }
            };
            let refilled = started.elapsed().as_millis() / (WINDOW / most).as_millis();
            assert!((u128::from(most)..=u128::from(most) + refilled).contains(&granted), "{class:?}: {granted}");
            assert_eq!((budgets[0].limit, budgets[0].remaining), (most, 0));
            assert!(!wait.is_zero() && wait <= WINDOW / most, "{class:?}: {wait:?}");
            assert!(matches!(limits.take(class, &[address(2)]).await, Verdict::Granted(_)));
        }
    }

    #[tokio::test]
    async fn no_limit_counts_nothing() {
        let limits = RequestLimits::new(Quotas::NONE, None);
        assert_eq!(limits.take(LimitClass::Auth, &[address(1)]).await, Verdict::Granted(Vec::new()));
    }
}
