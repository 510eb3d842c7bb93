//! `synkro keys rotate-kek`: exchanging the key-encryption key at the terminal.

use std::fs;

use application::ports::vault::{SecretPlace, Vault};
use domain::ids::SecretId;
use domain::integration::{IntegrationKind, SecretName};
use infrastructure::crypto::PgVault;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::TEST_KEK;
use testkit::program::Ended;
use uuid::Uuid;

use crate::log::Log;

/// 32 bytes, all 8.
const NEW: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// Runs it with these lines in the key file.
fn rotate(log: &Log, lines: &[&str], arguments: &[&str]) -> Ended {
    fs::write(log.folder.path().join("kek"), lines.join("\n")).unwrap();
    log.start(&[&["keys", "rotate-kek", "--kek-file", "kek", "--as", "ops-anna"], arguments].concat()).end()
}

#[tokio::test]
async fn it_is_exchanged_recorded_and_the_old_one_needed_no_more() {
    let log = Log::new().await;
    let (tenant_id, _) = log.tenant("acme", 0).await;
    let place = SecretPlace { tenant_id, kind: IntegrationKind::Radist, name: SecretName::ApiKey };
    let id = SecretId::from(Uuid::from_u128(7));
    log.database.vault().store(place, id, &SecretString::from("of acme")).await.unwrap();

    let missing = rotate(&log, &[NEW], &[]);
    assert!(missing.code == Some(1) && missing.errors.contains("Nothing was changed"), "{missing:?}");
    let broken = rotate(&log, &[NEW, "short"], &[]);
    assert!(broken.code == Some(1) && broken.errors.contains("line 2 of the key-encryption keys"), "{broken:?}");

    let done = rotate(&log, &[&format!("{NEW} # of June"), TEST_KEK], &["--json"]).json();
    assert_eq!(done["rewrapped"], json!(1), "{done}");
    let again = rotate(&log, &[NEW], &[]);
    assert!(
        again.output.contains("nothing to do") && again.output.contains(done["kek"].as_str().unwrap()),
        "{again:?}"
    );
    for shown in [&missing, &broken, &again] {
        assert!(
            ![NEW, TEST_KEK].iter().any(|key| shown.output.contains(key) || shown.errors.contains(key)),
            "{shown:?}"
        );
    }
    let vault = PgVault::new(log.database.database().clone(), log.database.key_ring_under(NEW));
    assert_eq!(vault.open(place, id).await.unwrap().expose_secret(), "of acme");
    log.database.catch_up().await;
    assert_eq!(log.lines(&["list", "--actor", "ops-anna", "--json"]).len(), 2, "its beginning and its end");
}
