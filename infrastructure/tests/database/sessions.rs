//! Refresh tokens, the list of sessions, and what a process remembers of those that are over.

use std::sync::Arc;

use application::Principal;
use application::ports::commands::Commands;
use application::ports::identity::{Credentials, CsrfHash, PasswordHash, TokenSubject};
use application::ports::read_models::PageRequest;
use application::ports::sessions::{
    Activity, FirstToken, RefreshToken, RefreshTokens, Revocations, Rotation, SessionKey, Sessions, Verdict,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::RoleName;
use domain::ids::SessionId;
use domain::session::{RevocationReason, Session, SessionCommand};
use domain::tenant::{Tenant, TenantCommand};
use domain::user::{User, UserCommand};
use infrastructure::follower::Follower;
use infrastructure::identity::{LiveRevocations, PgCredentials, PgRefreshTokens, SessionActivity};
use infrastructure::read_models::sessions::SessionsReader;
use secrecy::{ExposeSecret, SecretString};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, context, count, tenant, until, user};
use crate::readers::scope;
use crate::story::Company;

const IDLE: TimeDelta = TimeDelta::days(30);

pub(crate) fn session(number: u128) -> SessionId {
    Uuid::from_u128(0x7000 + number).into()
}

/// The first token of the n-th session, of a user of the first tenant.
pub(crate) fn first(n: u128, user_number: u128, verified: &PasswordHash, now: DateTime<Utc>) -> FirstToken {
    let session = SessionKey { session_id: session(n), user_id: user(user_number), tenant_id: Some(tenant(1)) };
    let (expires_at, ends_at) = (now + IDLE, now + TimeDelta::days(90));
    FirstToken { session, verified: verified.clone(), second_factor: false, csrf: None, expires_at, ends_at, now }
}

/// Tokens, and the first one of a session that began at second 0.
async fn begun(test: &TestDatabase) -> (PgRefreshTokens, SecretString) {
    let hash = PasswordHash(SecretString::from("$argon2id$…"));
    PgCredentials::new(test.database().clone()).set(user(1), hash.clone()).await.unwrap();
    let tokens = PgRefreshTokens::new(test.database().clone());
    let RefreshToken { token, .. } = tokens.begin(first(1, 1, &hash, at(0))).await.unwrap().unwrap();
    (tokens, token)
}

async fn rotate(tokens: &PgRefreshTokens, token: &SecretString, now: DateTime<Utc>) -> Rotation {
    tokens.rotate(token, None, now, IDLE).await.unwrap()
}

async fn next(tokens: &PgRefreshTokens, token: &SecretString, now: DateTime<Utc>) -> SecretString {
    match rotate(tokens, token, now).await {
        Rotation::Rotated { next, .. } => next.token,
        _ => panic!("the token is good"),
    }
}

#[tokio::test]
async fn a_token_is_exchanged_once() {
    let test = TestDatabase::new().await;
    let (tokens, token) = begun(&test).await;
    let second = next(&tokens, &token, at(60)).await;
    let third = next(&tokens, &second, at(120)).await;
    assert_ne!(second.expose_secret(), third.expose_secret());
    for used in [&token, &second] {
        let Rotation::Reused(key) = rotate(&tokens, used, at(131)).await else { panic!("it was used") };
        assert_eq!((key.session_id, key.user_id, key.tenant_id), (session(1), user(1), Some(tenant(1))));
    }
    assert!(matches!(rotate(&tokens, &"made up".into(), at(131)).await, Rotation::Unknown));
    tokens.forget(session(1)).await.unwrap();
    assert!(matches!(rotate(&tokens, &third, at(132)).await, Rotation::Unknown));
}

/// Seen to fail: with no grace.
#[tokio::test]
async fn two_requests_that_race_both_get_a_working_successor() {
    let test = TestDatabase::new().await;
    let (tokens, token) = begun(&test).await;
    let (one, other) = tokio::join!(next(&tokens, &token, at(60)), next(&tokens, &token, at(60)));
    assert_ne!(one.expose_secret(), other.expose_secret());
    let late = next(&tokens, &token, at(69)).await;
    for successor in [one, other, late] {
        next(&tokens, &successor, at(69)).await;
    }
    assert!(matches!(rotate(&tokens, &token, at(69)).await, Rotation::Reused(_)), "a successor was used");
}

#[tokio::test]
async fn after_the_grace_a_used_token_is_reuse() {
    let test = TestDatabase::new().await;
    let (tokens, token) = begun(&test).await;
    next(&tokens, &token, at(60)).await;
    assert!(matches!(rotate(&tokens, &token, at(70)).await, Rotation::Reused(_)));
}

#[tokio::test]
async fn a_session_ends_without_use_and_in_any_case() {
    let test = TestDatabase::new().await;
    let (tokens, mut token) = begun(&test).await;
    let day = |n: i64| at(n * 86_400);
    for n in [29, 58, 87] {
        token = next(&tokens, &token, day(n)).await;
    }
    assert!(matches!(rotate(&tokens, &token, day(90)).await, Rotation::Expired(_)), "its longest life is over");
    tokens.purge(day(92)).await.unwrap();
    assert_eq!(count(test.pool(), "refresh_tokens").await, 0);
    let (tokens, token) = begun(&test).await;
    assert!(matches!(rotate(&tokens, &token, day(30)).await, Rotation::Expired(_)), "it was not used");
}

/// Seen to fail: without the comparison in the statement.
#[tokio::test]
async fn a_token_of_a_cookie_needs_the_csrf_token() {
    let test = TestDatabase::new().await;
    let (tokens, _) = begun(&test).await;
    let (csrf, hash) = tokens.csrf_token().unwrap();
    let verified = PasswordHash(SecretString::from("$argon2id$…"));
    let begin = FirstToken { csrf: Some(hash.clone()), ..first(2, 1, &verified, at(0)) };
    let token = tokens.begin(begin).await.unwrap().unwrap().token;
    for wrong in [None, Some(SecretString::from("wrong"))] {
        assert!(matches!(tokens.rotate(&token, wrong.as_ref(), at(1), IDLE).await.unwrap(), Rotation::Forged));
    }
    match tokens.rotate(&token, Some(&csrf), at(1), IDLE).await.unwrap() {
        Rotation::Rotated { csrf: Some(CsrfHash(kept)), .. } => assert_eq!(kept, hash.0),
        _ => panic!("the CSRF token is right"),
    }
}

#[tokio::test]
async fn no_token_is_stored() {
    let test = TestDatabase::new().await;
    let (_, token) = begun(&test).await;
    let rows: Vec<String> =
        sqlx::query_scalar("select to_jsonb(t)::text from refresh_tokens t").fetch_all(test.pool()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(token.expose_secret()));
}

#[tokio::test]
async fn open_sessions_are_listed_with_when_they_were_seen() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    company.keep_accounts().await;
    test.catch_up().await;
    let hash = PasswordHash(SecretString::from("$argon2id$…"));
    PgCredentials::new(test.database().clone()).set(company.user(), hash.clone()).await.unwrap();
    let tokens = PgRefreshTokens::new(test.database().clone());
    let key =
        |n| SessionKey { session_id: company.session(n), user_id: company.user(), tenant_id: Some(company.tenant()) };
    for n in 1..=2 {
        tokens.begin(FirstToken { session: key(n), ..first(n, 1, &hash, at(3)) }).await.unwrap().unwrap();
    }
    let activity = SessionActivity::new(test.database().clone());
    for seconds in [100, 130, 150] {
        activity.seen(key(1), at(seconds));
    }
    activity.write().await.unwrap();
    let reader = SessionsReader::new(test.database());
    let list = async |tenant, now| {
        let page = PageRequest { after: None, limit: 10 };
        reader.list(&scope(tenant), company.user(), now, page).await.unwrap().items
    };
    let open = list(company.tenant(), at(200)).await;
    assert_eq!(open.len(), 1, "the second one was revoked");
    let seen = &open[0];
    assert_eq!((seen.id, seen.opened_at, seen.last_seen_at), (company.session(1), at(3), at(100)), "once a minute");
    assert_eq!(seen.user_agent.as_deref(), Some("browser/1"));
    assert!(list(tenant(2), at(200)).await.is_empty(), "another company's");
    assert!(list(company.tenant(), at(3) + IDLE).await.is_empty(), "nobody used it");
}

fn subject(company: &Company<'_>, n: u128, token_version: u32) -> TokenSubject {
    let (user_id, tenant_id) = (company.user(), company.tenant());
    let principal = Principal::of_tenant(user_id, tenant_id, RoleName::owner(), company.session(n));
    TokenSubject { principal, token_version, csrf: None }
}

/// A process that follows the log until it is dropped.
async fn process(test: &TestDatabase) -> (Arc<LiveRevocations>, tokio::task::JoinSet<()>) {
    let revocations = Arc::new(LiveRevocations::new(test.database()));
    let follower = Follower::new(test.database(), test.log(), vec![revocations.clone() as _]);
    let mut freshness = follower.freshness();
    revocations.follow(freshness.clone());
    let mut running = tokio::task::JoinSet::new();
    running.spawn(async move { follower.run().await });
    freshness.filled().await;
    (revocations, running)
}

/// Seen to fail: with a view that starts empty.
#[tokio::test]
async fn a_process_knows_what_was_revoked_before_it_started_and_since() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    company.keep_accounts().await;
    let (revocations, _running) = process(&test).await;
    let verdict = |n, version| revocations.verdict(&subject(&company, n, version));
    // The story gives the user three versions: two roles, and a deactivation.
    assert_eq!((verdict(1, 3), verdict(2, 3)), (Verdict::Stands, Verdict::Revoked));
    assert_eq!(verdict(1, 2), Verdict::Revoked, "a token of before the deactivation");
    let revoke = SessionCommand::Revoke { reason: RevocationReason::ByAdmin, at: at(9) };
    let sessions = test.commands::<Session>();
    sessions.execute(&context(company.tenant()), company.session(1).uuid(), revoke).await.unwrap();
    until("the revocation is known", async || verdict(1, 3) == Verdict::Revoked).await;
    assert_eq!(verdict(7, 3), Verdict::Stands);
    let role = UserCommand::ChangeRole { role: RoleName::user(), at: at(10) };
    test.commands::<User>().execute(&context(company.tenant()), company.user().uuid(), role).await.unwrap();
    until("the old role is known", async || verdict(7, 3) == Verdict::Revoked).await;
    assert_eq!(verdict(7, 4), Verdict::Stands, "a token of the new role");
}

/// Seen to fail: with a verdict that does not ask how current the view is.
#[tokio::test]
async fn a_process_that_does_not_see_the_log_knows_nothing() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    let unfollowed = LiveRevocations::new(test.database());
    assert_eq!(unfollowed.verdict(&subject(&company, 1, 0)), Verdict::Unknown, "it has not looked yet");
    let (revocations, mut running) = process(&test).await;
    assert_eq!(revocations.verdict(&subject(&company, 1, 0)), Verdict::Stands);
    running.shutdown().await;
    tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
    assert_eq!(revocations.verdict(&subject(&company, 1, 0)), Verdict::Unknown);
}

/// Seen to fail: with a view that reads no older suspensions than tokens live.
#[tokio::test]
async fn a_process_knows_who_is_kept_out_whenever_that_began() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    let tell = async |command| company.tell::<Tenant>(company.tenant().uuid(), command).await;
    let suspend = || TenantCommand::Suspend { reason: "Unpaid bills.".parse().unwrap(), at: at(20) };
    tell(suspend()).await;
    test.as_owner("alter table events disable trigger user").await;
    test.as_owner("update events set recorded_at = recorded_at - interval '1 year'").await;
    let (revocations, _running) = process(&test).await;
    let verdict = || revocations.verdict(&subject(&company, 1, 0));
    assert_eq!(verdict(), Verdict::Revoked);
    tell(TenantCommand::Resume { at: at(30) }).await;
    until("they are let in", async || verdict() == Verdict::Stands).await;
    tell(suspend()).await;
    until("they are kept out", async || verdict() == Verdict::Revoked).await;
    tell(TenantCommand::Resume { at: at(40) }).await;
    let (late, _running) = process(&test).await;
    assert_eq!(late.verdict(&subject(&company, 1, 0)), Verdict::Stands);
}
