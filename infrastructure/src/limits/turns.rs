//! Turns of calls to a provider's account, shared by all workers: those of one process, and with Redis those of all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::TenantId;
use domain::integration::IntegrationKind;
use tokio::time::Instant;

use super::{Rate, Redis};

/// Whose turns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TurnKey {
    /// The company.
    pub(crate) tenant_id: TenantId,
    /// The service.
    pub(crate) service: IntegrationKind,
    /// The account's host.
    pub(crate) host: String,
    /// A part of the account with its own limit, such as a chat; empty for the whole.
    pub(crate) part: String,
}

impl TurnKey {
    /// The bucket's name in Redis, which tells nobody what the company has connected.
    fn name(&self) -> String {
        let place = format!("{}\n{}", self.host, self.part);
        let hash = digest::digest(&digest::SHA256, place.as_bytes());
        let hash = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
        format!("turn:{}:{}:{hash}", self.service.name(), self.tenant_id)
    }
}

/// The turns of all accounts.
#[derive(Default)]
pub(crate) struct Turns {
    redis: Option<Redis>,
    buckets: Mutex<HashMap<TurnKey, Arc<TurnBucket>>>,
}

/// More buckets than this are a sign of accounts that nobody uses any more.
const SWEEP_ABOVE: usize = 4_096;

impl Turns {
    /// Turns that are shared through this Redis, where there is one.
    pub(crate) fn new(redis: Option<Redis>) -> Self {
        Self { redis, buckets: Mutex::default() }
    }

    /// The turns of an account. A new rate takes effect at once, also for those who hold the bucket already.
    pub(crate) fn bucket(&self, key: TurnKey, rate: Rate) -> Arc<TurnBucket> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > SWEEP_ABOVE {
            let now = Instant::now();
            buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_idle(now));
        }
        let shared = self.redis.clone().map(|redis| (redis, key.name()));
        let bucket = buckets.entry(key).or_insert_with(|| Arc::new(TurnBucket::new(rate, Instant::now(), shared)));
        bucket.set_rate(rate);
        Arc::clone(bucket)
    }
}

/// One account's turns.
pub(crate) struct TurnBucket {
    state: Mutex<State>,
    /// Redis and the bucket's name there.
    shared: Option<(Redis, String)>,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    /// When the bucket is full.
    full_at: Instant,
}

impl TurnBucket {
    fn new(rate: Rate, now: Instant, shared: Option<(Redis, String)>) -> Self {
        Self { state: Mutex::new(State { rate, full_at: now }), shared }
    }

    /// Waits for the caller's turn.
    pub(crate) async fn turn(&self) {
        let rate = self.lock().rate;
        let wait = match self.shared_turn(rate).await {
            Some(full_in) => rate.wait(full_in),
            None => self.reserve(Instant::now()),
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Nobody's turn comes before the service wants to be asked again.
    pub(crate) async fn pause(&self, pause: Duration) {
        let full_in = {
            let mut state = self.lock();
            let full_in = state.rate.full_in_after(pause);
            state.full_at = state.full_at.max(Instant::now() + full_in);
            full_in
        };
        if let Some((redis, name)) = &self.shared {
            redis.pause(name, full_in).await;
        }
    }

    /// Takes the next turn of all processes. Says in how long the bucket was full before it; none where Redis does not
    /// answer.
    async fn shared_turn(&self, rate: Rate) -> Option<Duration> {
        let (redis, name) = self.shared.as_ref()?;
        let full_in = redis.turn(name, rate).await?;
        // What this process knows when Redis is gone.
        let mut state = self.lock();
        state.full_at = state.full_at.max(Instant::now() + full_in + rate.interval());
        Some(full_in)
    }

    /// Takes the next turn of this process and says how long it is until then.
    fn reserve(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        let full_in = state.full_at.saturating_duration_since(now);
        state.full_at = now + full_in + state.rate.interval();
        state.rate.wait(full_in)
    }

    fn set_rate(&self, rate: Rate) {
        self.lock().rate = rate;
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.lock().full_at <= now
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::RedisOptions;

    const SECOND: Duration = Duration::from_secs(1);

    fn alone(rate: Rate, now: Instant) -> TurnBucket {
        TurnBucket::new(rate, now, None)
    }

    fn waits(bucket: &TurnBucket, now: Instant, count: usize) -> Vec<u128> {
        (0..count).map(|_| bucket.reserve(now).as_millis()).collect()
    }

    fn key(service: IntegrationKind) -> TurnKey {
        TurnKey {
            tenant_id: TenantId::from(uuid::Uuid::nil()),
            service,
            host: "acme.amocrm.example".into(),
            part: String::new(),
        }
    }

    #[test]
    fn turns_are_spaced_and_a_burst_goes_at_once() {
        let now = Instant::now();
        let even = alone(Rate::per_second(5), now);
        assert_eq!(waits(&even, now, 4), [0, 200, 400, 600]);
        let bursty = alone(Rate::per_window(3, SECOND * 3 / 5), now);
        assert_eq!(waits(&bursty, now, 5), [0, 0, 0, 200, 400]);
    }

    #[test]
    fn idleness_refills_no_more_than_the_burst() {
        let start = Instant::now();
        let bucket = alone(Rate::per_window(2, SECOND * 2 / 5), start);
        waits(&bucket, start, 5);
        assert_eq!(waits(&bucket, start + Duration::from_mins(1), 4), [0, 0, 200, 400]);
    }

    #[test]
    fn no_second_sees_more_than_rate_plus_burst() {
        let now = Instant::now();
        let bucket = alone(Rate::per_window(2, SECOND * 2 / 5), now);
        let starts = waits(&bucket, now, 40);
        for first in &starts {
            let within = starts.iter().filter(|at| (*first..first + 1_000).contains(*at)).count();
            assert!(within <= 7, "{within} calls within a second of {first}");
        }
    }

    #[tokio::test]
    async fn a_refusal_holds_everybody_back() {
        let turns = Turns::default();
        let rate = Rate::per_window(5, SECOND);
        let mine = turns.bucket(key(IntegrationKind::Amocrm), rate);
        let theirs = turns.bucket(key(IntegrationKind::Amocrm), rate);
        mine.pause(Duration::from_secs(7)).await;
        let wait = theirs.reserve(Instant::now());
        assert!(wait > Duration::from_secs(6) && wait <= Duration::from_secs(7), "{wait:?}");
    }

    #[test]
    fn a_changed_rate_takes_effect() {
        let turns = Turns::default();
        let slow = turns.bucket(key(IntegrationKind::Radist), Rate::per_second(1));
        turns.bucket(key(IntegrationKind::Radist), Rate::per_second(100));
        let now = Instant::now();
        slow.reserve(now);
        assert!(slow.reserve(now) <= Duration::from_millis(10));
    }

    #[test]
    fn the_name_in_redis_tells_accounts_apart_and_hides_them() {
        let whole = key(IntegrationKind::Amocrm);
        let part = TurnKey { part: "chat".into(), ..whole.clone() };
        assert_ne!(whole.name(), part.name());
        assert!(!whole.name().contains("acme") && !part.name().contains("chat"), "{}", whole.name());
    }

    async fn process(redis: &testkit::TestRedis) -> Turns {
        let (url, prefix) = (redis.url.clone().into(), redis.prefix.clone());
        let options = RedisOptions { url, prefix, patience: Duration::from_secs(5) };
        Turns::new(Some(Redis::open(options).await.unwrap()))
    }

    /// Seen to fail with turns that each process counts by itself.
    #[tokio::test]
    async fn processes_take_turns() {
        let redis = testkit::TestRedis::new().await;
        let rate = Rate::per_second(50);
        let one = process(&redis).await.bucket(key(IntegrationKind::Amocrm), rate);
        let other = process(&redis).await.bucket(key(IntegrationKind::Amocrm), rate);
        let started = Instant::now();
        let ten = async |bucket: &TurnBucket| {
            for _ in 0..10 {
                bucket.turn().await;
            }
        };
        tokio::join!(ten(&one), ten(&other));
        assert!(started.elapsed() >= Duration::from_millis(375), "{:?}", started.elapsed());
        one.pause(SECOND).await;
        let paused = Instant::now();
        other.turn().await;
        assert!(paused.elapsed() >= Duration::from_millis(990), "{:?}", paused.elapsed());
    }

    #[tokio::test]
    async fn turns_go_on_without_redis_from_what_is_known() {
        let redis = testkit::TestRedis::new().await;
        let bucket = process(&redis).await.bucket(key(IntegrationKind::Amocrm), Rate::per_second(2));
        bucket.turn().await;
        redis.set(testkit::redis::Gate::Closed);
        let started = Instant::now();
        bucket.turn().await;
        assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    }
}
