//! Exchanging the key-encryption key while secrets are stored and opened.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::ports::data_keys::{DataKeys, Used, Wrapping};
use application::ports::vault::{SecretPlace, Vault};
use application::use_cases::{KekExchange, KekProgress};
use application::{PortError, RequestContext};
use async_trait::async_trait;
use domain::ids::{SecretId, TenantId};
use domain::integration::{IntegrationKind, SecretName};
use domain::kek_rotation::KekRotation;
use infrastructure::crypto::{PgDataKeys, PgVault};
use infrastructure::event_store::{Appender, LogCommands};
use infrastructure::signals::Signal;
use infrastructure::system::SystemClock;
use secrecy::{ExposeSecret, SecretString};
use testkit::{TEST_KEK, TestDatabase};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::fixtures::{count, tenant};

/// 32 bytes, all 8 and all 9.
const NEW: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
const FOREIGN: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";

/// More than two batches of data keys.
const TENANTS: u128 = 250;

fn place(tenant_id: TenantId) -> SecretPlace {
    SecretPlace { tenant_id, kind: IntegrationKind::Radist, name: SecretName::ApiKey }
}

fn secret_id(number: u128) -> SecretId {
    Uuid::from_u128(0x6000_0000 + number).into()
}

fn vault(test: &TestDatabase, keks: &str) -> PgVault {
    PgVault::new(test.database().clone(), test.key_ring_under(keks))
}

async fn store(vault: &PgVault, number: u128) {
    let secret = SecretString::from(format!("secret {number}"));
    vault.store(place(tenant(number)), secret_id(number), &secret).await.unwrap();
}

async fn assert_opens(vault: &PgVault, number: u128) {
    let opened = vault.open(place(tenant(number)), secret_id(number)).await.unwrap();
    assert_eq!(opened.expose_secret(), format!("secret {number}"));
}

fn exchange(test: &TestDatabase, keks: &str) -> KekExchange {
    let appender = Appender::new(test.database().clone(), Signal::default());
    KekExchange {
        rotations: Arc::new(LogCommands::<KekRotation>::new(test.database(), appender)),
        data_keys: Arc::new(PgDataKeys::new(test.database().clone(), TestDatabase::keks(keks))),
        clock: Arc::new(SystemClock),
    }
}

fn operator() -> RequestContext {
    RequestContext::for_support("Vera Example".parse().unwrap(), Uuid::from_u128(1))
}

async fn recorded(test: &TestDatabase) -> Vec<(String, Option<i64>)> {
    sqlx::query_as(
        "select event_type, (payload->>'data_keys')::bigint from events where aggregate_type = 'kek_rotation' order by sequence",
    )
    .fetch_all(test.pool())
    .await
    .unwrap()
}

/// Seen to fail: with wrappings that are bound to another key than the one that wraps, no data key opened that was made
/// meanwhile.
#[tokio::test]
async fn under_load_nothing_is_lost_and_the_old_key_is_needed_no_more() {
    let test = TestDatabase::new().await;
    let old = vault(&test, TEST_KEK);
    for number in 0..TENANTS {
        store(&old, number).await;
    }
    let both = format!("{NEW}\n{TEST_KEK}");
    let (busy, enough) = (Arc::new(vault(&test, &both)), Arc::new(AtomicBool::new(false)));
    let (worker, until) = (Arc::clone(&busy), Arc::clone(&enough));
    let working = tokio::spawn(async move {
        let mut number = TENANTS;
        while !until.load(Ordering::Relaxed) {
            store(&worker, number).await;
            assert_opens(&worker, number % TENANTS).await;
            number += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        number
    });
    let shown = Mutex::new(Vec::new());
    let show = |progress: KekProgress| shown.lock().unwrap().push(progress.done);
    let rewrapped = exchange(&test, &both).exchange(&operator(), &show).await.unwrap();
    enough.store(true, Ordering::Relaxed);
    let all = working.await.unwrap();
    assert_eq!(u128::from(rewrapped), TENANTS, "the new tenants' keys are wrapped by the new key already");
    assert_eq!(shown.into_inner().unwrap(), [0, 100, 200, 250]);
    let only_new = vault(&test, NEW);
    for number in 0..all {
        assert_opens(&only_new, number).await;
    }
    assert_eq!(recorded(&test).await, [("KekRotationBegun".into(), Some(250)), ("KekRotationCompleted".into(), None)]);
}

/// Seen to fail: with an end that is recorded only where something was wrapped, one that was cut off just before it never ended.
#[tokio::test]
async fn one_that_is_cut_off_goes_on_when_it_is_repeated_and_ends_once() {
    let test = TestDatabase::new().await;
    let old = vault(&test, TEST_KEK);
    for number in 0..TENANTS {
        store(&old, number).await;
    }
    let both = format!("{NEW}\n{TEST_KEK}");
    let exchange = exchange(&test, &both);
    let (cut, operator) = (Notify::new(), operator());
    let show = |progress: KekProgress| {
        if progress.done > 0 {
            cut.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = cut.notified() => {}
        ended = exchange.exchange(&operator, &show) => panic!("it was not cut off: {ended:?}"),
    }
    assert_opens(&vault(&test, &both), TENANTS - 1).await;
    // Cut off once more, between the last data key and the end.
    while exchange.data_keys.rewrap_some().await.unwrap() > 0 {}
    assert_eq!(exchange.exchange(&operator, &|_| ()).await.unwrap(), 0, "nothing was left");
    assert_opens(&vault(&test, NEW), 7).await;
    assert_eq!(exchange.exchange(&operator, &|_| ()).await.unwrap(), 0);
    assert_eq!(recorded(&test).await, [("KekRotationBegun".into(), Some(250)), ("KekRotationCompleted".into(), None)]);
}

/// Seen to fail: without the look for unknown keys, it ended with an internal error.
#[tokio::test]
async fn where_a_key_is_missing_nothing_is_begun_and_the_key_is_named() {
    let test = TestDatabase::new().await;
    store(&vault(&test, TEST_KEK), 1).await;
    store(&vault(&test, FOREIGN), 2).await;
    let refused = exchange(&test, &format!("{NEW}\n{TEST_KEK}")).exchange(&operator(), &|_| ()).await.unwrap_err();
    assert_eq!(refused.code, "kek.unknown");
    let foreign: String = sqlx::query_scalar("select kek_id from tenant_keys where tenant_id = $1")
        .bind(tenant(2).uuid())
        .fetch_one(test.pool())
        .await
        .unwrap();
    assert!(refused.detail.contains(&foreign), "{}", refused.detail);
    assert_eq!(count(test.pool(), "events").await, 0);
    assert_opens(&vault(&test, TEST_KEK), 1).await;
}

/// Data keys of which others wrap new ones as fast as they are wrapped anew.
struct Endless;

#[async_trait]
impl DataKeys for Endless {
    async fn wrapping(&self) -> Result<Wrapping, PortError> {
        let used = Used { kek_id: "old".into(), data_keys: 3, is_known: true };
        Ok(Wrapping { current: "new".into(), used: vec![used] })
    }

    async fn rewrap_some(&self) -> Result<u64, PortError> {
        Ok(100)
    }
}

#[tokio::test]
async fn where_other_processes_go_on_with_the_old_key_it_gives_up_and_is_not_recorded_as_complete() {
    let test = TestDatabase::new().await;
    let exchange = KekExchange { data_keys: Arc::new(Endless), ..exchange(&test, TEST_KEK) };
    let refused = exchange.exchange(&operator(), &|_| ()).await.unwrap_err();
    assert_eq!(refused.code, "kek.still_used");
    assert!(refused.detail.contains("restart them"), "{}", refused.detail);
    assert_eq!(recorded(&test).await, [("KekRotationBegun".into(), Some(3))]);
}
