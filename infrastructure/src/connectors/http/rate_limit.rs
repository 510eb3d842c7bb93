//! Rate limits per account and host, shared by all workers of the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use tokio::time::Instant;

/// How often something may be done: calls spaced evenly at a rate, with a few at once after a pause.
///
/// In a time `t`, at most `t / interval + burst` calls start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    interval: Duration,
    burst: u32,
}

impl Rate {
    /// One call in each interval.
    pub(crate) const fn every(interval: Duration) -> Self {
        Self { interval, burst: 1 }
    }

    /// So many calls a second, evenly spaced.
    pub(crate) fn per_second(calls: u32) -> Self {
        Self::every(Duration::from_secs(1) / calls.max(1))
    }

    fn tolerance(self) -> Duration {
        self.interval * self.burst.saturating_sub(1)
    }
}

/// What a limit is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct RateKey {
    pub(super) tenant_id: TenantId,
    pub(super) service: IntegrationKind,
    pub(super) host: String,
    /// A part of the account with its own limit, such as a chat; empty for the whole.
    pub(super) part: String,
}

/// All limits of the process.
#[derive(Default)]
pub(super) struct RateLimits {
    buckets: Mutex<HashMap<RateKey, Arc<Bucket>>>,
}

/// More buckets than this are a sign of accounts that nobody uses any more.
const SWEEP_ABOVE: usize = 4_096;

impl RateLimits {
    /// The limit of an account. A new rate takes effect at once, also for those who hold the bucket already.
    pub(super) fn bucket(&self, key: RateKey, rate: Rate) -> Arc<Bucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > SWEEP_ABOVE {
            let now = Instant::now();
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_idle(now));
        }
        let bucket = buckets.entry(key).or_insert_with(|| Arc::new(Bucket::new(rate, Instant::now())));
        bucket.set_rate(rate);
        Arc::clone(bucket)
    }
}

/// One limit: a token bucket told as the time at which the next evenly spaced call is due (GCRA).
#[derive(Debug)]
pub(super) struct Bucket {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    due: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        Self { state: Mutex::new(State { rate, due: now }) }
    }

    /// Waits for the caller's turn.
    pub(super) async fn turn(&self) {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Nobody's turn comes before the service wants to be asked again.
    pub(super) fn pause(&self, pause: Duration) {
        let mut state = self.lock();
        let resume = Instant::now() + pause + state.rate.tolerance();
        state.due = state.due.max(resume);
    }

    /// Takes the next turn and says how long it is until then.
    fn reserve(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        let due = state.due.max(now);
        let start = due.checked_sub(state.rate.tolerance()).map_or(now, |start| start.max(now));
        state.due = due + state.rate.interval;
        start - now
    }

    fn set_rate(&self, rate: Rate) {
        self.lock().rate = rate;
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.lock().due <= now
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fives(burst: u32) -> Rate {
        Rate { burst, ..Rate::per_second(5) }
    }

    fn waits(bucket: &Bucket, now: Instant, count: usize) -> Vec<u128> {
        (0..count).map(|_| bucket.reserve(now).as_millis()).collect()
    }

    #[test]
    fn calls_are_spaced_and_a_burst_goes_at_once() {
        let now = Instant::now();
        let even = Bucket::new(fives(1), now);
        assert_eq!(waits(&even, now, 4), [0, 200, 400, 600]);
        let bursty = Bucket::new(fives(3), now);
        assert_eq!(waits(&bursty, now, 5), [0, 0, 0, 200, 400]);
    }

    #[test]
    fn a_pause_refills_no_more_than_the_burst() {
        let start = Instant::now();
        let bucket = Bucket::new(fives(2), start);
        waits(&bucket, start, 5);
        let later = start + Duration::from_mins(1);
        assert_eq!(waits(&bucket, later, 4), [0, 0, 200, 400]);
    }

    #[test]
    fn no_second_sees_more_than_rate_plus_burst() {
        let now = Instant::now();
        let bucket = Bucket::new(fives(2), now);
        let starts = waits(&bucket, now, 40);
        for first in &starts {
            let within = starts.iter().filter(|at| (*first..first + 1_000).contains(*at)).count();
            assert!(within <= 7, "{within} calls within a second of {first}");
        }
    }

    #[test]
    fn a_refusal_holds_everybody_back() {
        let limits = RateLimits::default();
        let key = RateKey {
            tenant_id: TenantId::from(uuid::Uuid::nil()),
            service: IntegrationKind::Amocrm,
            host: "acme.amocrm.example".into(),
            part: String::new(),
        };
        let rate = fives(5);
        let mine = limits.bucket(key.clone(), rate);
        let theirs = limits.bucket(key, rate);
        mine.pause(Duration::from_secs(7));
        let wait = theirs.reserve(Instant::now());
        assert!(wait > Duration::from_secs(6) && wait <= Duration::from_secs(7), "{wait:?}");
    }

    #[test]
    fn a_changed_rate_takes_effect() {
        let limits = RateLimits::default();
        let key = RateKey {
            tenant_id: TenantId::from(uuid::Uuid::nil()),
            service: IntegrationKind::Radist,
            host: "api.radist.example".into(),
            part: String::new(),
        };
        let slow = limits.bucket(key.clone(), Rate::per_second(1));
        limits.bucket(key, Rate::per_second(100));
        let now = Instant::now();
        slow.reserve(now);
        assert!(slow.reserve(now) <= Duration::from_millis(10));
    }
}
