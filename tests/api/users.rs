use reqwest::Method;
use reqwest::header::WWW_AUTHENTICATE;
use serde_json::json;
use testkit::{Actor, TestApp};

const LOGIN: &str = "/api/v1/public/users/login";
const ME: &str = "/api/v1/users/me";

#[tokio::test]
async fn signing_in_says_who_one_is() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let body = json!({"email": someone.email.to_uppercase(), "password": someone.password});
    let answer = anonymous.post(LOGIN, &body).await.expect(200);
    assert_eq!((&answer["token_type"], &answer["user"]["email"]), (&json!("Bearer"), &json!(someone.email)));
    assert_eq!(answer["user"]["tenant_id"], json!(app.company.tenant_id.uuid()));
    let me = anonymous.with_token(answer["access_token"].as_str().unwrap()).get(ME).await.expect(200);
    assert_eq!(me, answer["user"]);
    assert_eq!(me["role"], "user");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let (app, anonymous, _) = TestApp::start().await;
    let known = app.credential().await;
    let refused = async |email: &str| {
        let answer = anonymous.post(LOGIN, &json!({"email": email, "password": "not the password"})).await;
        assert_eq!(answer.status, 401);
        let mut problem = answer.any_problem();
        problem["request_id"] = json!(null);
        (problem, answer.header(WWW_AUTHENTICATE.as_str()).map(str::to_owned))
    };
    let wrong = refused(&known.email).await;
    for unknown in ["nobody@acme.example", "no address at all"] {
        assert_eq!(refused(unknown).await, wrong);
    }
    app.assert_log_keeps_secrets().await;
}

#[tokio::test]
async fn all_bad_fields_are_named_together() {
    let (_app, anonymous, _) = TestApp::start().await;
    for body in [json!({}), json!({"email": " ", "password": 1}), json!({"email": null, "password": null})] {
        assert_eq!(anonymous.post(LOGIN, &body).await.bad_fields(), ["email", "password"], "{body}");
    }
    let broken = anonymous.request(Method::POST, LOGIN).header("content-type", "application/json").body("{");
    anonymous.send(broken).await.problem(400, "body.malformed");
}

/// Fails unless the caller is told to sign in.
async fn assert_refused(actor: &Actor, code: &str) {
    let answer = actor.get(ME).await;
    answer.problem(401, code);
    assert!(answer.header(WWW_AUTHENTICATE.as_str()).unwrap().starts_with("Bearer realm="));
}

/// Seen to fail with a token that is read without its signature.
#[tokio::test]
async fn without_a_good_token_nobody_is_let_in() {
    let (_app, anonymous, owner) = TestApp::start().await;
    assert_refused(&anonymous, "token.missing").await;
    assert_refused(&anonymous.with_token("nonsense"), "token.refused").await;
    let [head, claims, signature] = owner.token().split('.').collect::<Vec<_>>()[..] else { panic!("a JWT") };
    let (_other_app, _, stranger) = TestApp::start().await;
    let foreign = stranger.token().split('.').nth(1).unwrap();
    let unsigned = "eyJhbGciOiJub25lIn0";
    for forged in [
        format!("{head}.{foreign}.{signature}"),
        format!("{head}.{claims}."),
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        stranger.token().to_owned(),
    ] {
        assert_refused(&anonymous.with_token(&forged), "token.refused").await;
    }
    owner.get(ME).await.expect(200);
}

#[tokio::test]
async fn a_token_is_out_of_time_after_ten_minutes() {
    let (app, anonymous, owner) = TestApp::start().await;
    let issued = |minutes_ago| anonymous.with_token(&app.token_of(&owner, minutes_ago));
    issued(9).get(ME).await.expect(200);
    assert_refused(&issued(11), "token.refused").await;
}
