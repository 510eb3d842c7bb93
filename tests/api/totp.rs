//! An authenticator app is set up, asked for at sign-in, and given up.

use application::RequestContext;
use application::ports::clock::Clock;
use chrono::TimeDelta;
use domain::ids::UserId;
use domain::second_factor::SecondFactorCommand;
use infrastructure::system::SystemClock;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp, totp};

const TOTP: &str = "/api/v1/users/me/totp";
const LOGIN: &str = "/api/v1/public/users/login";

/// Seen to fail with a recovery code that is not marked used.
#[tokio::test]
async fn a_code_is_asked_for_at_sign_in_once_an_app_is_confirmed() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    assert_eq!(actor.post(TOTP, &json!({"password": "not the password"})).await.bad_fields(), ["password"]);
    let begun = actor.post(TOTP, &json!({"password": someone.password})).await.expect(200);
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().contains(&format!("secret={secret}&issuer=Synkro")), "{begun:#}");
    let login = async |code: Option<&str>| {
        let mut body = json!({"email": someone.email, "password": someone.password});
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        anonymous.post(LOGIN, &body).await
    };
    login(None).await.expect(200);
    let now = SystemClock.now();
    let (code, next) = (totp(&secret, now), totp(&secret, now + TimeDelta::seconds(30)));
    assert_eq!(actor.post(&format!("{TOTP}/confirm"), &json!({"code": "000"})).await.bad_fields(), ["code"]);
    let confirmed = actor.post(&format!("{TOTP}/confirm"), &json!({"code": code})).await.expect(200);
    let recovery: Vec<&str> =
        confirmed["recovery_codes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!((recovery.len(), recovery[0].len()), (10, 19));
    actor.post(TOTP, &json!({"password": someone.password})).await.problem(409, "totp.already_enrolled");
    login(None).await.problem(401, "totp.required");
    login(Some(&code)).await.problem(401, "totp.refused");
    login(Some(&next)).await.expect(200);
    login(Some(&next)).await.problem(401, "totp.refused");
    login(Some(&recovery[0].to_lowercase())).await.expect(200);
    login(Some(recovery[0])).await.problem(401, "totp.refused");
    assert_eq!(actor.post(&format!("{TOTP}/disable"), &json!({"code": recovery[0]})).await.bad_fields(), ["code"]);
    assert_eq!(actor.post(&format!("{TOTP}/disable"), &json!({"code": recovery[1]})).await.status, 204);
    login(None).await.expect(200);
    for secret in std::iter::once(secret.as_str()).chain(recovery) {
        app.secrets.add(secret);
    }
    app.assert_log_keeps_secrets().await;
    let names: Vec<_> = app.events().await.into_iter().map(|event| event.event_type).collect();
    for name in ["TotpEnrolled", "RecoveryCodeUsed", "TotpDisabled"] {
        assert!(names.iter().any(|known| known == name), "{name} is missing");
    }
}

/// Seen to fail with failures that are forgotten once the password is right.
#[tokio::test]
async fn who_knows_the_password_cannot_guess_the_code() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    let begun = actor.post(TOTP, &json!({"password": someone.password})).await.expect(200);
    let code = totp(begun["secret"].as_str().unwrap(), SystemClock.now());
    actor.post(&format!("{TOTP}/confirm"), &json!({"code": code})).await.expect(200);
    let body = json!({"email": someone.email, "password": someone.password, "code": "12 34"});
    for _ in 0..5 {
        anonymous.post(LOGIN, &body).await.problem(401, "totp.refused");
    }
    anonymous.post(LOGIN, &body).await.problem(429, "sign_in.locked");
}

const RECOVERY: &str = "/api/v1/users/me/totp/recovery-codes";

async fn confirm(actor: &Actor, code: &str) -> Answer {
    actor.post(&format!("{TOTP}/confirm"), &json!({"code": code})).await
}

fn codes(answer: &Answer) -> Vec<String> {
    let answer = answer.expect(200);
    answer["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// An app that is in use: its secret, and the recovery codes.
async fn enrol(actor: &Actor, password: &str) -> (String, Vec<String>) {
    let begun = actor.post(TOTP, &json!({"password": password})).await.expect(200);
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let recovery = codes(&confirm(actor, &totp(&secret, SystemClock.now())).await);
    (secret, recovery)
}

/// Seen to fail: with recovery codes of before that are not deleted.
#[tokio::test]
async fn another_app_takes_the_place_of_the_one_in_use() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    let (former, lost) = enrol(&actor, &someone.password).await;
    let replace = async |code: &str| actor.post(TOTP, &json!({"password": someone.password, "code": code})).await;
    let login = async |code: &str| {
        anonymous.post(LOGIN, &json!({"email": someone.email, "password": someone.password, "code": code})).await
    };
    assert_eq!(replace("000").await.bad_fields(), ["code"]);
    let begun = replace(&lost[0]).await.expect(200);
    let secret = begun["secret"].as_str().unwrap();
    let (now, next) = (SystemClock.now(), SystemClock.now() + TimeDelta::seconds(30));
    login(&totp(&former, next)).await.expect(200);
    let fresh = codes(&confirm(&actor, &totp(secret, now)).await);
    confirm(&actor, &totp(secret, next)).await.problem(409, "totp.already_enrolled");
    for code in [&totp(&former, next + TimeDelta::seconds(30)), &lost[1]] {
        login(code).await.problem(401, "totp.refused");
    }
    login(&totp(secret, next)).await.expect(200);
    assert_eq!(actor.post(RECOVERY, &json!({"code": lost[2]})).await.bad_fields(), ["code"]);
    let renewed = codes(&actor.post(RECOVERY, &json!({"code": fresh[0]})).await);
    login(&fresh[1]).await.problem(401, "totp.refused");
    login(&renewed[0]).await.expect(200);
    let told = app.events().await;
    let told = |name: &str| told.iter().filter(|event| event.event_type == name).count();
    assert_eq!(["TotpEnrolled", "TotpReplaced", "RecoveryCodesRenewed"].map(told), [1, 1, 1]);
    for secret in [former.as_str(), secret].into_iter().chain(renewed.iter().map(String::as_str)) {
        app.secrets.add(secret);
    }
    app.assert_log_keeps_secrets().await;
}

/// As where the process is killed after the event and before the row. Seen to fail: with a second enrolment that is refused.
#[tokio::test]
async fn confirming_an_app_once_more_finishes_what_was_cut_off() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    let me = actor.get("/api/v1/users/me").await.expect(200);
    let user_id: UserId = me["id"].as_str().unwrap().parse().unwrap();
    let begun = actor.post(TOTP, &json!({"password": someone.password})).await.expect(200);
    let system = app.system();
    let (tenant_id, at) = (app.company.tenant_id, SystemClock.now());
    let context = RequestContext::for_system("test", tenant_id, system.ids.next(), system.ids.next());
    let enrolled = SecondFactorCommand::RecordEnrolled { user_id, tenant_id: Some(tenant_id), at };
    system.state.second_factor.log.execute(&context, user_id.uuid(), enrolled).await.unwrap();
    let login = json!({"email": someone.email, "password": someone.password});
    anonymous.post(LOGIN, &login).await.expect(200);
    assert_eq!(codes(&confirm(&actor, &totp(begun["secret"].as_str().unwrap(), at)).await).len(), 10);
    anonymous.post(LOGIN, &login).await.problem(401, "totp.required");
    assert_eq!(app.events().await.iter().filter(|event| event.event_type == "TotpEnrolled").count(), 1);
}

/// Seen to fail: with codes that are counted as passwords are, which signing in forgets.
#[tokio::test]
async fn whoever_knows_the_password_cannot_have_wrong_codes_forgotten() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    let begun = actor.post(TOTP, &json!({"password": someone.password})).await.expect(200);
    let right = totp(begun["secret"].as_str().unwrap(), SystemClock.now());
    for _ in 0..5 {
        anonymous.sign_in(&someone.email, &someone.password).await;
        assert_eq!(confirm(&actor, "000000").await.bad_fields(), ["code"]);
    }
    anonymous.sign_in(&someone.email, &someone.password).await;
    confirm(&actor, &right).await.problem(429, "sign_in.locked");
    assert!(app.events().await.iter().any(|event| event.event_type == "UserLockedOut"));
    let other = app.credential().await;
    let actor = anonymous.sign_in(&other.email, &other.password).await;
    enrol(&actor, &other.password).await;
    for _ in 0..5 {
        // The password is right.
        actor.post(TOTP, &json!({"password": other.password})).await.problem(409, "totp.already_enrolled");
        confirm(&actor, "000000").await.problem(409, "totp.already_enrolled");
        assert_eq!(actor.post(&format!("{TOTP}/disable"), &json!({"code": "000"})).await.bad_fields(), ["code"]);
    }
    actor.post(&format!("{TOTP}/disable"), &json!({"code": "000"})).await.problem(429, "sign_in.locked");
}
