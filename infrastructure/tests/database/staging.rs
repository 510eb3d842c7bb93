//! Staged data: sealed, each tenant's own, and gone after its time.

use std::sync::Arc;

use application::ports::clock::Clock;
use application::ports::staging::Staging;
use chrono::TimeDelta;
use infrastructure::staging::PgStaging;
use sqlx::PgPool;
use testkit::{TestClock, TestDatabase};

use crate::fixtures::{count, tenant};

const DEALS: &[u8] = b"[{\"name\":\"deal of Ann Example\"}]";

fn staging(test: &TestDatabase) -> (PgStaging, Arc<TestClock>) {
    let clock = Arc::new(TestClock::at_text("2026-06-02T01:00:00Z"));
    (test.staging(Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

async fn sealed(pool: &PgPool) -> Vec<Vec<u8>> {
    sqlx::query_scalar("select sealed from staging").fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn staged_bytes_are_found_by_the_name_of_their_content() {
    let test = TestDatabase::new().await;
    let (staging, _) = staging(&test);
    let name = staging.put(tenant(1), DEALS).await.unwrap();
    assert_eq!(staging.get(tenant(1), &name).await.unwrap().as_deref(), Some(DEALS));
    assert_eq!(staging.put(tenant(1), DEALS).await.unwrap(), name, "the same content has the same name");
    assert_eq!(count(test.pool(), "staging").await, 1);
    assert_ne!(staging.put(tenant(1), b"other").await.unwrap(), name);
    // Another process, which knows the key-encryption key only, reads it too.
    let another = self::staging(&test).0;
    assert_eq!(another.get(tenant(1), &name).await.unwrap().as_deref(), Some(DEALS));
}

#[tokio::test]
async fn the_table_does_not_show_what_is_staged() {
    let test = TestDatabase::new().await;
    let (staging, _) = staging(&test);
    let name = staging.put(tenant(1), DEALS).await.unwrap();
    staging.remember(tenant(1), b"what of Ann Example?", DEALS).await.unwrap();
    for bytes in sealed(test.pool()).await {
        assert!(!bytes.windows(11).any(|part| part == b"Ann Example"), "plain text in the sealed column");
        assert!(bytes.len() >= 4 + DEALS.len() + 12 + 16, "number of the key, nonce, ciphertext and tag");
    }
    // A name is keyed: the same content is called otherwise in another tenant, so nobody can confirm a guess.
    assert_ne!(staging.put(tenant(2), DEALS).await.unwrap(), name);
}

#[tokio::test]
async fn another_tenant_cannot_read_it_even_where_the_row_is_copied() {
    let test = TestDatabase::new().await;
    let (staging, _) = staging(&test);
    let name = staging.put(tenant(1), DEALS).await.unwrap();
    assert_eq!(staging.get(tenant(2), &name).await.unwrap(), None);
    staging.put(tenant(2), b"its key is made").await.unwrap();
    sqlx::query("insert into staging select $1, name, sealed, expires_at from staging where tenant_id <> $1")
        .bind(tenant(2).uuid())
        .execute(test.pool())
        .await
        .unwrap();
    assert!(staging.get(tenant(2), &name).await.is_err());
}

/// Seen to fail: sealed without its place, the bytes opened under the other name.
#[tokio::test]
async fn staged_bytes_open_under_their_own_name_only() {
    let test = TestDatabase::new().await;
    let (staging, _) = staging(&test);
    let (name, other) = (staging.put(tenant(1), DEALS).await.unwrap(), staging.put(tenant(1), b"other").await.unwrap());
    sqlx::query("update staging set sealed = (select sealed from staging where name = $1) where name = $2")
        .bind(name.as_str())
        .bind(other.as_str())
        .execute(test.pool())
        .await
        .unwrap();
    assert!(staging.get(tenant(1), &other).await.is_err());
    assert_eq!(staging.get(tenant(1), &name).await.unwrap().as_deref(), Some(DEALS));
}

#[tokio::test]
async fn staged_bytes_live_for_seven_days_after_they_were_last_put() {
    let test = TestDatabase::new().await;
    let (staging, clock) = staging(&test);
    let name = staging.put(tenant(1), DEALS).await.unwrap();
    let younger = staging.put(tenant(1), b"other").await.unwrap();
    clock.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    assert!(staging.get(tenant(1), &name).await.unwrap().is_some());
    assert_eq!(staging.purge().await.unwrap(), 0);
    staging.put(tenant(1), b"other").await.unwrap();
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(staging.get(tenant(1), &name).await.unwrap(), None, "over, though not purged yet");
    assert_eq!(staging.purge().await.unwrap(), 1);
    assert!(staging.get(tenant(1), &younger).await.unwrap().is_some());
    assert_eq!(count(test.pool(), "staging").await, 1);
}

#[tokio::test]
async fn an_answer_is_recalled_by_its_question() {
    let test = TestDatabase::new().await;
    let (staging, clock) = staging(&test);
    assert_eq!(staging.recall(tenant(1), b"why?").await.unwrap(), None);
    staging.remember(tenant(1), b"why?", b"because").await.unwrap();
    assert_eq!(staging.recall(tenant(1), b"why?").await.unwrap().as_deref(), Some(&b"because"[..]));
    assert_eq!(staging.recall(tenant(1), b"why not?").await.unwrap(), None);
    assert_eq!(staging.recall(tenant(2), b"why?").await.unwrap(), None);
    // A question is no content: putting it does not replace its answer.
    staging.put(tenant(1), b"why?").await.unwrap();
    assert_eq!(staging.recall(tenant(1), b"why?").await.unwrap().as_deref(), Some(&b"because"[..]));
    clock.advance(TimeDelta::days(7));
    assert_eq!(staging.recall(tenant(1), b"why?").await.unwrap(), None);
}
