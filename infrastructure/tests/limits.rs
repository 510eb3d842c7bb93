//! Limits of requests against a real Redis: shared by several processes, and kept while it is away.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be unwrapped is the failure")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use application::ports::health::DependencyState;
use application::ports::limits::{LimitClass, LimitSubject, RateLimits, Verdict};
use domain::ids::TenantId;
use infrastructure::limits::{Quotas, Redis, RedisOptions, RequestLimits};
use testkit::TestRedis;
use testkit::redis::Gate;
use tokio::time::Instant;
use uuid::Uuid;

/// Long enough that a busy machine's Redis is not taken for a dead one.
const PATIENT: Duration = Duration::from_secs(5);

const HOPE: Duration = Duration::from_secs(20);

/// One process's worth of limits.
struct Process {
    redis: Redis,
    limits: RequestLimits,
}

async fn process(redis: &TestRedis, auth: u32, patience: Duration) -> Process {
    let options = RedisOptions { url: redis.url.clone().into(), prefix: redis.prefix.clone(), patience };
    let redis = Redis::open(options).await.unwrap();
    let limits = RequestLimits::new(Quotas { auth, ..Quotas::default() }, Some(redis.clone()));
    Process { redis, limits }
}

impl Process {
    async fn granted(&self, subjects: &[LimitSubject]) -> bool {
        matches!(self.limits.take(LimitClass::Auth, subjects).await, Verdict::Granted(_))
    }

    async fn is_up(&self) -> bool {
        self.redis.state().await == DependencyState::Up
    }

    async fn until_up(&self) {
        let deadline = Instant::now() + HOPE;
        while !self.is_up().await {
            assert!(Instant::now() < deadline, "it never came back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn address(last: u8) -> LimitSubject {
    LimitSubject::address(Ipv4Addr::new(192, 0, 2, last).into())
}

fn tenant() -> LimitSubject {
    LimitSubject::Tenant(TenantId::from(Uuid::from_u128(7)))
}

/// Seen to fail with limits that each process counts by itself, 40 granted, and with a script that writes nothing down, 80.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_one_budget_exactly() {
    let redis = TestRedis::new().await;
    let processes = [process(&redis, 20, PATIENT).await, process(&redis, 20, PATIENT).await].map(Arc::new);
    let started = Instant::now();
    let ask = |number: usize| {
        let process = Arc::clone(&processes[number % 2]);
        tokio::spawn(async move { process.granted(&[address(1)]).await })
    };
    let asked: Vec<_> = (0..80).map(ask).collect();
    let mut granted = 0;
    for answer in asked {
        granted += u64::from(answer.await.unwrap());
    }
    let refilled = started.elapsed().as_secs() / 3;
    assert!((20..=20 + refilled).contains(&granted), "{granted} granted");
}

#[tokio::test]
async fn where_one_budget_is_used_up_none_is_charged_and_the_wait_is_true() {
    let redis = TestRedis::new().await;
    let (one, other) = (process(&redis, 60, PATIENT).await, process(&redis, 60, PATIENT).await);
    while one.granted(&[address(1)]).await {}
    for _ in 0..9 {
        let Verdict::Refused { budgets, wait } = other.limits.take(LimitClass::Auth, &[address(1), tenant()]).await
        else {
            continue;
        };
        assert_eq!((budgets[0].remaining, budgets[1].remaining), (0, 60));
        assert!(!wait.is_zero() && wait <= Duration::from_secs(1), "{wait:?}");
    }
    while one.granted(&[address(1)]).await {}
    let Verdict::Refused { wait, .. } = other.limits.take(LimitClass::Auth, &[address(1)]).await else {
        panic!("another process's budget is used up")
    };
    tokio::time::sleep(wait).await;
    assert!(other.granted(&[address(1)]).await);
}

#[tokio::test]
async fn keys_end_by_themselves_and_name_nothing_but_ids() {
    let redis = TestRedis::new().await;
    let process = process(&redis, 5, PATIENT).await;
    assert!(process.granted(&[address(1), tenant()]).await);
    let client = redis::Client::open(redis.server.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("{}*", redis.prefix)).query_async(&mut connection).await.unwrap();
    keys.sort();
    let named = ["limit:auth:address:192.0.2.1", "limit:auth:tenant:00000000-0000-0000-0000-000000000007"];
    assert_eq!(keys, named.map(|name| format!("{}{name}", redis.prefix)));
    for key in keys {
        let left: i64 = redis::cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        assert!((1..=12_000).contains(&left), "{key} stays for {left} ms");
    }
}

/// Seen to fail with a memory that knows nothing of what Redis said, and with a process that never asks Redis.
#[tokio::test]
async fn while_redis_is_away_the_process_goes_on_from_what_it_knows() {
    let redis = TestRedis::new().await;
    let process = process(&redis, 5, PATIENT).await;
    for _ in 0..4 {
        assert!(process.granted(&[address(1)]).await);
    }
    redis.set(Gate::Closed);
    assert!(process.granted(&[address(1)]).await, "the fifth");
    assert!(!process.granted(&[address(1)]).await, "the sixth");
    let mut granted = 0;
    while process.granted(&[address(2)]).await {
        granted += 1;
    }
    assert_eq!(granted, 5);
    assert!(matches!(process.redis.state().await, DependencyState::Degraded { .. }));
    redis.set(Gate::Open);
    process.until_up().await;
    let other = self::process(&redis, 5, PATIENT).await;
    while process.granted(&[address(3)]).await {}
    assert!(!other.granted(&[address(3)]).await, "they count together again");
}

/// Seen to fail with a connection that stays in use after a question without an answer.
#[tokio::test]
async fn a_redis_that_hangs_holds_up_nobody_for_long() {
    let redis = TestRedis::new().await;
    let process = process(&redis, 1_000, Duration::from_millis(500)).await;
    process.until_up().await;
    redis.set(Gate::Silent);
    let started = Instant::now();
    for _ in 0..200 {
        assert!(process.granted(&[address(1)]).await);
    }
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    redis.set(Gate::Open);
    process.until_up().await;
}

#[tokio::test]
async fn a_process_starts_without_its_redis_and_finds_it_later() {
    let redis = TestRedis::new().await;
    redis.set(Gate::Closed);
    let process = process(&redis, 5, PATIENT).await;
    assert!(!process.is_up().await && process.granted(&[address(1)]).await);
    redis.set(Gate::Open);
    process.until_up().await;
}
