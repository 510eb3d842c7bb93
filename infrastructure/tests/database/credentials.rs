//! Password hashes, and signing in with them.

use std::sync::Arc;

use application::ports::identity::{Credentials, PasswordHasher};
use application::use_cases::SignIn;
use domain::ErrorKind;
use infrastructure::identity::{Argon2Hasher, PasswordCost, PgCredentials, RsaTokens};
use infrastructure::read_models::users::UsersReader;
use secrecy::{ExposeSecret, SecretString};
use testkit::{TestClock, TestDatabase};

use crate::fixtures::{count, user};
use crate::story::Company;

/// The least that Argon2 allows; these tests are not about its strength.
const CHEAP: PasswordCost = PasswordCost { memory_kib: 8, passes: 1, at_once: 2 };

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[tokio::test]
async fn a_new_password_replaces_the_old_one() {
    let test = TestDatabase::new().await;
    let credentials = PgCredentials::new(test.database().clone());
    let hasher = Argon2Hasher::new(CHEAP).unwrap();
    assert!(credentials.get(user(1)).await.unwrap().is_none());
    for password in ["first password", "second password"] {
        credentials.set(user(1), hasher.hash(secret(password)).await.unwrap()).await.unwrap();
        let hash = credentials.get(user(1)).await.unwrap();
        assert!(hasher.verify(secret(password), hash).await.unwrap());
    }
    let hash = credentials.get(user(1)).await.unwrap();
    assert!(!hasher.verify(secret("first password"), hash).await.unwrap());
    assert_eq!(count(test.pool(), "credentials").await, 1);
}

#[tokio::test]
async fn whoever_knows_the_password_signs_in_and_nobody_else() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    test.catch_up().await;
    let folder = tempfile::tempdir().unwrap();
    let hasher = Arc::new(Argon2Hasher::new(CHEAP).unwrap());
    let credentials = Arc::new(PgCredentials::new(test.database().clone()));
    credentials.set(company.user(), hasher.hash(secret("correct horse")).await.unwrap()).await.unwrap();
    let sign_in = SignIn {
        users: Arc::new(UsersReader::new(test.database())),
        credentials,
        hasher,
        tokens: Arc::new(RsaTokens::load_or_create(&folder.path().join("token.pem")).unwrap()),
        clock: Arc::new(TestClock::at_text("2026-06-02T01:00:00Z")),
    };
    let signed_in = sign_in.sign_in(&company.email().to_uppercase(), secret("correct horse")).await.unwrap();
    assert_eq!(signed_in.user.id, company.user());
    let principal = sign_in.authenticate(signed_in.access.token.expose_secret()).unwrap();
    assert_eq!((principal.user_id, principal.tenant_id), (company.user(), company.tenant()));
    assert_eq!(sign_in.current(principal.user_id).await.unwrap(), signed_in.user);

    let mut refusals = Vec::new();
    for (email, password) in
        [(company.email().as_str(), "wrong horse"), ("bob@acme.example", "correct horse"), ("?", "")]
    {
        let refused = sign_in.sign_in(email, secret(password)).await.err().unwrap();
        assert_eq!(refused.kind, ErrorKind::Unauthenticated);
        refusals.push((refused.code, refused.detail));
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "they do not tell who exists: {refusals:?}");
}
