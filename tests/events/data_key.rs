//! `synkro keys rotate-tenant`: exchanging a company's data key at the terminal.

use std::fs;

use application::ports::vault::{SecretPlace, Vault};
use domain::ids::SecretId;
use domain::integration::{IntegrationKind, SecretName};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::TEST_KEK;
use testkit::program::Ended;
use uuid::Uuid;

use crate::log::Log;

/// 32 bytes, all 8.
const OTHER_KEK: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

fn rotate(log: &Log, tenant: &str, arguments: &[&str]) -> Ended {
    rotate_with(log, TEST_KEK, tenant, arguments)
}

fn rotate_with(log: &Log, kek: &str, tenant: &str, arguments: &[&str]) -> Ended {
    fs::write(log.folder.path().join("kek"), kek).unwrap();
    log.start(&[&["keys", "rotate-tenant", tenant, "--kek-file", "kek", "--as", "ops-anna"], arguments].concat()).end()
}

#[tokio::test]
async fn it_is_exchanged_and_recorded_in_the_company_s_own_history() {
    let log = Log::new().await;
    let (tenant_id, _) = log.tenant("acme", 0).await;
    let none = rotate(&log, "nobody", &[]);
    assert!(none.code == Some(1) && none.errors.contains("no tenant has the slug nobody"), "{none:?}");
    let bad = rotate(&log, "A B", &[]);
    assert!(bad.code == Some(1) && bad.errors.contains("is no id, and as a slug it"), "{bad:?}");
    let nothing = rotate(&log, "acme", &[]);
    assert!(nothing.output.contains("nothing to do"), "{nothing:?}");

    let place = SecretPlace { tenant_id, kind: IntegrationKind::Radist, name: SecretName::ApiKey };
    let id = SecretId::from(Uuid::from_u128(7));
    log.database.vault().store(place, id, &SecretString::from("of acme")).await.unwrap();
    let wrong = rotate_with(&log, OTHER_KEK, "acme", &[]);
    assert!(wrong.code == Some(1) && wrong.errors.contains("Nothing was changed"), "{wrong:?}");
    let done = rotate(&log, "acme", &["--json"]).json();
    assert_eq!(done, json!({"tenant_id": tenant_id.uuid(), "key": 2, "sealed_anew": 1}));
    let again = rotate(&log, &tenant_id.to_string(), &[]);
    assert!(again.output.contains("key number 3") && !again.output.contains(TEST_KEK), "{again:?}");
    assert_eq!(log.database.vault().open(place, id).await.unwrap().expose_secret(), "of acme");
    log.database.catch_up().await;
    let listed = log.lines(&["list", "--tenant", "acme", "--actor", "ops-anna", "--json"]);
    assert_eq!(listed.len(), 4, "two beginnings and two ends");
}

/// What it sealed would be lost to all others.
#[tokio::test]
async fn no_process_starts_on_secrets_whose_key_it_does_not_have() {
    let log = Log::new().await;
    let (tenant_id, _) = log.tenant("acme", 0).await;
    let place = SecretPlace { tenant_id, kind: IntegrationKind::Radist, name: SecretName::ApiKey };
    let secret = SecretString::from("of acme");
    log.database.vault().store(place, SecretId::from(Uuid::from_u128(7)), &secret).await.unwrap();
    let serve = ["serve", "--bind", "127.0.0.1:0"];
    let without = log.start(&serve).end();
    assert!(without.code == Some(1) && without.errors.contains("there is no key-encryption key here"), "{without:?}");
    assert!(!log.folder.path().join("keys").exists(), "none was made");
    fs::write(log.folder.path().join("kek"), OTHER_KEK).unwrap();
    let wrong = log.start(&[&serve[..], &["--kek-file", "kek"]].concat()).end();
    assert!(wrong.code == Some(1) && wrong.errors.contains("that were given are others"), "{wrong:?}");
}
