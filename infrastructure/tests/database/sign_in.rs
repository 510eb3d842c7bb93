//! Failed attempts are counted for all processes together, and lock accounts and addresses.

use application::ports::identity::{Attempt, Counted, Lockout, SignInGuard};
use chrono::{DateTime, Utc};
use infrastructure::identity::{LockoutPolicy, PgSignInGuard};
use testkit::{CapturedLog, TestDatabase};

use crate::fixtures::{at, count};

const POLICY: LockoutPolicy = LockoutPolicy {
    account_failures: 3,
    address_failures: 6,
    first: chrono::TimeDelta::minutes(1),
    longest: chrono::TimeDelta::minutes(5),
    memory: chrono::TimeDelta::hours(24),
};

fn attempt(account: &str, address: &str) -> Attempt {
    Attempt { account: account.parse().ok().map(Counted::Passwords), address: Some(address.to_owned()) }
}

fn guard(test: &TestDatabase) -> PgSignInGuard {
    PgSignInGuard::new(test.database().clone(), POLICY)
}

async fn fail(guard: &PgSignInGuard, attempt: &Attempt, now: DateTime<Utc>) -> Option<Lockout> {
    guard.failed(attempt, now).await.unwrap()
}

/// Seen to fail: with a lockout that does not grow.
#[tokio::test]
async fn an_account_is_locked_for_longer_with_each_further_failure() {
    let test = TestDatabase::new().await;
    let (guard, ann) = (guard(&test), attempt("ann@acme.example", "192.0.2.1"));
    assert_eq!((fail(&guard, &ann, at(0)).await, fail(&guard, &ann, at(1)).await), (None, None));
    assert_eq!(guard.locked_until(&ann, at(2)).await.unwrap(), None);
    assert_eq!(fail(&guard, &ann, at(2)).await, Some(Lockout { failures: 3, until: at(62) }));
    assert_eq!(guard.locked_until(&ann, at(61)).await.unwrap(), Some(at(62)));
    assert_eq!(guard.locked_until(&ann, at(62)).await.unwrap(), None);
    assert_eq!(fail(&guard, &ann, at(62)).await.map(|lockout| lockout.until), Some(at(182)));
    assert_eq!(fail(&guard, &ann, at(182)).await.map(|lockout| lockout.until), Some(at(422)));
    assert_eq!(fail(&guard, &ann, at(422)).await.map(|lockout| lockout.until), Some(at(722)), "five minutes at most");
    let elsewhere = attempt("ann@acme.example", "192.0.2.9");
    assert_eq!(guard.locked_until(&elsewhere, at(500)).await.unwrap(), Some(at(722)), "wherever it comes from");
}

/// It belongs to no company, so no history tells of it: the process that counts says so in its own log.
#[tokio::test]
async fn an_address_is_locked_whatever_accounts_it_tries() {
    let test = TestDatabase::new().await;
    let (guard, log) = (guard(&test), CapturedLog::start());
    for n in 0..6 {
        assert!(!log.text().contains("an address is locked"), "after {n} failures");
        fail(&guard, &attempt(&format!("user-{n}@acme.example"), "192.0.2.1"), at(n)).await;
    }
    assert!(log.text().contains("an address is locked") && log.text().contains("192.0.2.1"));
    let other = attempt("ann@acme.example", "192.0.2.1");
    assert_eq!(guard.locked_until(&other, at(10)).await.unwrap(), Some(at(65)));
    let elsewhere = attempt("ann@acme.example", "192.0.2.2");
    assert_eq!(guard.locked_until(&elsewhere, at(10)).await.unwrap(), None);
}

#[tokio::test]
async fn success_forgets_the_failures_of_the_account() {
    let test = TestDatabase::new().await;
    let (guard, ann) = (guard(&test), attempt("ann@acme.example", "192.0.2.1"));
    for n in 0..2 {
        fail(&guard, &ann, at(n)).await;
    }
    assert_eq!(guard.succeeded(&ann, at(3)).await.unwrap(), None);
    assert_eq!(fail(&guard, &ann, at(4)).await, None);
    assert_eq!(fail(&guard, &ann, at(5)).await, None);
    assert_eq!(fail(&guard, &ann, at(5 + 86_400)).await, None, "those of a day ago are forgotten too");
}

/// Seen to fail: with a success that forgets in any case.
#[tokio::test]
async fn an_attempt_that_was_right_too_late_is_refused() {
    let test = TestDatabase::new().await;
    let (guard, ann) = (guard(&test), attempt("ann@acme.example", "192.0.2.1"));
    for n in 0..3 {
        fail(&guard, &ann, at(n)).await;
    }
    assert_eq!(guard.succeeded(&ann, at(3)).await.unwrap(), Some(at(62)));
    assert_eq!(guard.locked_until(&ann, at(4)).await.unwrap(), Some(at(62)));
}

#[tokio::test]
async fn failures_at_the_same_time_are_all_counted() {
    let test = TestDatabase::new().await;
    let (guard, ann) = (guard(&test), attempt("ann@acme.example", "192.0.2.1"));
    let all = futures::future::join_all((0..20).map(|_| guard.failed(&ann, at(0)))).await;
    let most = all.into_iter().filter_map(|one| one.unwrap()).map(|lockout| lockout.failures).max();
    assert_eq!(most, Some(20));
    assert_eq!(count(test.pool(), "sign_in_failures").await, 2);
    let named: i64 =
        sqlx::query_scalar("select count(*) from sign_in_failures f where to_jsonb(f)::text like '%acme%'")
            .fetch_one(test.pool())
            .await
            .unwrap();
    assert_eq!(named, 0, "the table names nobody");
}
