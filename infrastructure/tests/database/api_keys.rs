//! Secrets of API keys: shown once, kept as a hash, recognized by nothing but themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use application::ports::api_keys::{ApiKeySecrets, ApiKeys, ApiKeysInForce};
use application::ports::read_models::PageRequest;
use domain::access::Permission;
use domain::ids::ApiKeyId;
use domain::tenant::{Tenant, TenantCommand};
use infrastructure::follower::Follower;
use infrastructure::identity::{LiveApiKeys, PgApiKeySecrets};
use infrastructure::read_models::api_keys::ApiKeysReader;
use secrecy::{ExposeSecret, SecretString};
use testkit::TestDatabase;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::fixtures::{at, context, tenant, until};
use crate::story::Company;

fn key(number: u128) -> ApiKeyId {
    Uuid::from_u128(0x4000 + number).into()
}

/// Seen to fail with a comparison that is left out.
#[tokio::test]
async fn a_key_is_recognized_by_its_own_secret_only() {
    let test = TestDatabase::new().await;
    let secrets = PgApiKeySecrets::new(test.database().clone());
    let first = secrets.issue(tenant(1), key(1)).await.unwrap();
    let second = secrets.issue(tenant(2), key(2)).await.unwrap();
    assert_eq!(secrets.recognize(&first, at(0)).await.unwrap(), Some(key(1)));
    assert_eq!(secrets.recognize(&second, at(0)).await.unwrap(), Some(key(2)));
    let (id, _) = first.expose_secret().rsplit_once(&format!("{}_", key(1).uuid().simple())).unwrap();
    let stolen = &second.expose_secret()[id.len() + 33..];
    let mixed = SecretString::from(format!("{id}{}_{stolen}", key(1).uuid().simple()));
    assert_eq!(secrets.recognize(&mixed, at(0)).await.unwrap(), None);
    for bad in ["", "syn_", "not a key"] {
        assert_eq!(secrets.recognize(&bad.into(), at(0)).await.unwrap(), None, "{bad}");
    }
    secrets.forget(tenant(2), key(1)).await.unwrap();
    assert!(secrets.recognize(&first, at(0)).await.unwrap().is_some(), "another company cannot end it");
    secrets.forget(tenant(1), key(1)).await.unwrap();
    assert_eq!(secrets.recognize(&first, at(0)).await.unwrap(), None);
}

#[tokio::test]
async fn the_database_cannot_tell_the_key() {
    let test = TestDatabase::new().await;
    let issued = PgApiKeySecrets::new(test.database().clone()).issue(tenant(1), key(1)).await.unwrap();
    let row: String = sqlx::query_scalar("select s::text from api_key_secrets s").fetch_one(test.pool()).await.unwrap();
    let secret = issued.expose_secret().splitn(3, '_').nth(2).unwrap();
    assert!(!row.contains(secret) && secret.len() == 43, "{row}");
}

/// Seen to fail with every use written down.
#[tokio::test]
async fn the_last_use_is_noted_once_a_minute() {
    let test = TestDatabase::new().await;
    let secrets = PgApiKeySecrets::new(test.database().clone());
    let issued = secrets.issue(tenant(1), key(1)).await.unwrap();
    let last_used = async |of| secrets.last_used(of, &[key(1), key(2)]).await.unwrap().remove(&key(1));
    assert_eq!(last_used(tenant(1)).await, None);
    for (used, noted) in [(0, 0), (59, 0), (60, 60), (61, 60), (200, 200)] {
        secrets.recognize(&issued, at(used)).await.unwrap();
        assert_eq!(last_used(tenant(1)).await, Some(at(noted)), "after {used} s");
    }
    assert_eq!(last_used(tenant(2)).await, None);
}

/// A process that follows the log until it is dropped.
async fn process(test: &TestDatabase) -> (Arc<LiveApiKeys>, JoinSet<()>) {
    let secrets = Arc::new(PgApiKeySecrets::new(test.database().clone()));
    let keys = Arc::new(LiveApiKeys::new(test.database(), secrets));
    let follower = Follower::new(test.database(), test.log(), vec![Arc::clone(&keys) as _]);
    let mut freshness = follower.freshness();
    keys.follow(freshness.clone());
    let mut running = JoinSet::new();
    running.spawn(async move { follower.run().await });
    freshness.filled().await;
    (keys, running)
}

#[tokio::test]
async fn a_revoked_key_and_one_of_a_suspended_company_are_refused_by_every_process() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    let secrets = PgApiKeySecrets::new(test.database().clone());
    let mut issued = Vec::new();
    for n in 1..=2 {
        company.create_api_key(n).await;
        issued.push(secrets.issue(company.tenant(), company.api_key(n)).await.unwrap());
    }
    let [(one, _running), (other, _too)] = [process(&test).await, process(&test).await];
    for keys in [&one, &other] {
        for shown in &issued {
            let known = keys.recognize(shown, at(10)).await.unwrap().unwrap();
            let scopes: Vec<String> = known.scopes.iter().map(ToString::to_string).collect();
            assert_eq!(
                (known.tenant_id, scopes),
                (company.tenant(), vec!["reports:read:stats".into(), "runs:read".into()])
            );
        }
        assert_eq!(keys.recognize(&issued[0], at(3600)).await.unwrap(), None, "its time is over");
    }
    company.revoke_api_key(1).await;
    for keys in [&one, &other] {
        until("the key is refused", async || keys.recognize(&issued[0], at(10)).await.unwrap().is_none()).await;
        assert!(keys.recognize(&issued[1], at(10)).await.unwrap().is_some());
    }
    let suspend = TenantCommand::Suspend { reason: "Unpaid".parse().unwrap(), at: at(11) };
    company.tell::<Tenant>(company.tenant().uuid(), TenantCommand::Activate { at: at(10) }).await;
    company.tell::<Tenant>(company.tenant().uuid(), suspend).await;
    for keys in [&one, &other] {
        until("the company is out", async || keys.recognize(&issued[1], at(12)).await.unwrap().is_none()).await;
    }
}

#[tokio::test]
async fn a_process_that_does_not_see_the_log_asks_the_database() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    company.create_api_key(1).await;
    let secrets = Arc::new(PgApiKeySecrets::new(test.database().clone()));
    let issued = secrets.issue(company.tenant(), company.api_key(1)).await.unwrap();
    let unfollowed = LiveApiKeys::new(test.database(), secrets);
    assert!(unfollowed.recognize(&issued, at(10)).await.unwrap().is_some());
    company.revoke_api_key(1).await;
    assert_eq!(unfollowed.recognize(&issued, at(10)).await.unwrap(), None);
}

/// With its table away, the database answers no question about a key. Seen to fail without the memory of texts that are no
/// keys, which asked; and with one that no event makes forget, which went on refusing the key that had been made.
#[tokio::test]
async fn what_is_no_key_is_asked_about_once_until_a_key_is_made() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    let secrets = PgApiKeySecrets::new(test.database().clone());
    let early = secrets.issue(company.tenant(), company.api_key(1)).await.unwrap();
    let other = secrets.issue(company.tenant(), company.api_key(2)).await.unwrap();
    let (keys, _running) = process(&test).await;
    assert_eq!(keys.recognize(&early, at(10)).await.unwrap(), None, "a secret without an event opens nothing");
    test.as_owner("alter table api_key_secrets rename to away").await;
    assert_eq!(keys.recognize(&early, at(10)).await.unwrap(), None, "it is remembered");
    assert!(keys.recognize(&other, at(10)).await.is_err(), "this one was not asked about before");
    test.as_owner("alter table away rename to api_key_secrets").await;
    company.create_api_key(1).await;
    let began = Instant::now();
    until("the key is recognized", async || keys.recognize(&early, at(10)).await.unwrap().is_some()).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Whoever makes a key can be killed between its secret and its event, and whoever revokes one between the event and the end
/// of the secret. Seen to fail with a purge that does not ask the log, and with one that does not look at the age.
#[tokio::test]
async fn secrets_that_open_nothing_are_deleted_after_a_while() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    let secrets = PgApiKeySecrets::new(test.database().clone());
    for n in 1..=4 {
        secrets.issue(company.tenant(), company.api_key(n)).await.unwrap();
    }
    company.create_api_key(1).await;
    company.create_api_key(2).await;
    company.revoke_api_key(2).await;
    let left = async || {
        let left = sqlx::query_scalar("select api_key_id from api_key_secrets order by api_key_id");
        let left: Vec<Uuid> = left.fetch_all(test.pool()).await.unwrap();
        left.into_iter().map(ApiKeyId::from).collect::<Vec<_>>()
    };
    assert_eq!(secrets.purge().await.unwrap(), 0, "all are young");
    sqlx::query("update api_key_secrets set created_at = created_at - interval '2 hours' where api_key_id <> $1")
        .bind(company.api_key(4).uuid())
        .execute(test.pool())
        .await
        .unwrap();
    assert_eq!(secrets.purge().await.unwrap(), 2);
    assert_eq!(left().await, [company.api_key(1), company.api_key(4)], "one is in force, one may be on its way");
}

#[tokio::test]
async fn keys_are_listed_to_their_own_company() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    company.manage_api_keys().await;
    Company::new(&test, 2).manage_api_keys().await;
    test.catch_up().await;
    let scope = context(company.tenant()).authorize(Permission::ApiKeysRead).unwrap();
    let reader = ApiKeysReader::new(test.database());
    let first = reader.list(&scope, PageRequest { after: None, limit: 1 }).await.unwrap();
    let rest = reader.list(&scope, PageRequest { after: first.next, limit: 5 }).await.unwrap();
    let [active, revoked] = [&first.items[0], &rest.items[0]];
    assert_eq!((rest.items.len(), active.id, revoked.id), (1, company.api_key(2), company.api_key(1)));
    assert_eq!((active.revoked, revoked.revoked), (None, Some((at(9), company.user()))));
    assert_eq!(active.scopes.len(), 2);
    let foreign = context(tenant(3)).authorize(Permission::ApiKeysRead).unwrap();
    assert_eq!(reader.get(&foreign, active.id).await.unwrap().item, None);
}
