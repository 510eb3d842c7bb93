//! Staff of the platform in the name of a company's user: seen by the company, and over when it shall be.

use std::time::{Duration, Instant};

use application::RequestContext;
use application::ports::clock::Ids;
use application::use_cases::TenantChange;
use domain::access::StaffRole;
use infrastructure::system::SystemIds;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const ME: &str = "/api/v1/users/me";
const SEEN: &str = "/api/v1/impersonations";

/// How long an end may take to reach another process.
const SOON: Duration = Duration::from_secs(1);

/// The terminal.
fn terminal() -> RequestContext {
    RequestContext::for_support("ops-anna".parse().unwrap(), SystemIds.next())
}

async fn id_of(actor: &Actor) -> String {
    actor.get(ME).await.expect(200)["id"].as_str().unwrap().to_owned()
}

fn opened_at(app: &TestApp) -> String {
    format!("/api/v1/platform/tenants/{}/impersonations", app.company.tenant_id)
}

async fn open(app: &TestApp, staff: &Actor, user: &str) -> Value {
    let body = json!({"user_id": user, "reason": "Their report is empty.", "minutes": 30});
    let token = staff.post(&opened_at(app), &body).await.expect(201);
    app.secrets.add(token["access_token"].as_str().unwrap());
    token
}

fn acting(process: &Actor, token: &Value) -> Actor {
    process.with_token(token["access_token"].as_str().unwrap())
}

async fn delete(actor: &Actor, path: &str) -> testkit::Answer {
    actor.send(actor.request(Method::DELETE, path)).await
}

/// Fails unless the callers are refused within a second, counted from `began`.
async fn refused_since(began: Instant, actors: &[&Actor]) {
    for actor in actors {
        while actor.get(ME).await.status != 401 {
            assert!(began.elapsed() < SOON, "the token is still accepted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// What a token says, unverified.
fn claims(token: &Value) -> Value {
    let middle = token["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in middle.bytes() {
        let six = alphabet.iter().position(|known| *known == letter).unwrap();
        (bits, count) = (bits << 6 | u32::try_from(six).unwrap(), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

/// Seen to fail: with metadata that names the user alone; with a view of revocations that does not follow impersonations.
#[tokio::test]
async fn staff_act_in_a_user_s_name_in_sight_of_the_company_until_it_ends_that() {
    let (app, anonymous, owner) = TestApp::start().await;
    let (other_process, owner_id) = (app.another_process().await, id_of(&owner).await);
    let support = app.staff(StaffRole::Support).await.actor;
    let staff_id = id_of(&support).await;
    let token = open(&app, &support, &owner_id).await;
    let id = token["id"].as_str().unwrap();
    let said = claims(&token);
    assert_eq!((&said["sub"], &said["act"]["sub"], &said["sid"]), (&json!(owner_id), &json!(staff_id), &json!(id)));
    assert_eq!((&said["company_id"], &said["role"]), (&json!(app.company.tenant_id), &json!("owner")));
    assert!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap() <= 600, "{said}");

    let (here, there) = (acting(&anonymous, &token), acting(&other_process, &token));
    for path in [ME, "/api/v1/users/me/sessions", "/api/v1/users", "/api/v1/reports", "/api/v1/api-keys", SEEN] {
        here.get(path).await.expect(200);
        there.get(path).await.expect(200);
    }
    assert_eq!(id_of(&there).await, owner_id);
    let sessions = owner.get("/api/v1/users/me/sessions").await.expect(200);
    assert_eq!(
        sessions["items"].as_array().unwrap().len(),
        1,
        "an impersonation is no session of the user: {sessions}"
    );

    let run = here.start_run(app.days()).await;
    let started = app.event_shown(&owner, &format!("aggregate_id={run}&event_type=RunStarted")).await;
    let actor = json!({"kind": "staff", "id": staff_id, "name": "Staff person", "role": "owner"});
    assert_eq!(started["actor"], actor);
    assert_eq!((&started["ip"], &started["user_agent"]), (&Value::Null, &Value::Null));
    assert_eq!(started["impersonation_id"], json!(id));
    assert_eq!(started["acting_for"], json!({"id": owner_id, "name": "Test person"}));
    let stored = app.events().await.into_iter().find(|event| event.event_type == "RunStarted").unwrap().metadata;
    assert_eq!((&stored["impersonation_id"], &stored["acting_for"]), (&json!(id), &json!(owner_id)));
    let opened = app.event_shown(&owner, "event_type=ImpersonationOpened").await;
    assert_eq!((&opened["actor"]["id"], &opened["right"]), (&json!(staff_id), &json!("platform.tenants:impersonate")));

    let seen = owner.get(SEEN).await.expect(200)["items"][0].clone();
    assert_eq!((&seen["id"], &seen["staff_name"]), (&json!(id), &json!("Staff person")));
    assert_eq!((&seen["reason"], &seen["ended_at"]), (&json!("Their report is empty."), &Value::Null));
    // A token of the same second is the same one, and would be taken for a secret that leaks.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let next = support.post(&format!("{}/{id}/token", opened_at(&app)), &json!({})).await.expect(200);
    app.secrets.add(next["access_token"].as_str().unwrap());
    acting(&anonymous, &next).get(ME).await.expect(200);

    here.get(SEEN).await.expect(200);
    delete(&here, &format!("{SEEN}/{id}")).await.problem(403, "impersonation.not_in_another_s_name");
    delete(&app.other_tenant().await, &format!("{SEEN}/{id}")).await.problem(404, "impersonation.not_found");
    for _ in 0..2 {
        assert_eq!(delete(&owner, &format!("{SEEN}/{id}")).await.status, 204);
        refused_since(Instant::now(), &[&there, &here]).await;
    }
    support.post(&format!("{}/{id}/token", opened_at(&app)), &json!({})).await.problem(409, "impersonation.over");
    let seen = owner.get(SEEN).await.expect(200)["items"][0].clone();
    assert_eq!(seen["ended_by"], json!(owner_id));
    let listed = support.get(&opened_at(&app)).await.expect(200);
    assert_eq!(listed["items"][0], seen);
    app.assert_log_keeps_secrets().await;
}

#[tokio::test]
async fn what_takes_one_s_own_hands_is_refused_in_another_one_s_name() {
    let (app, anonymous, owner) = TestApp::start().await;
    let support = app.staff(StaffRole::Support).await.actor;
    let (owner_id, someone) = (id_of(&owner).await, id_of(&app.user().await).await);
    let users = support.get(&format!("/api/v1/platform/tenants/{}/users", app.company.tenant_id)).await.expect(200);
    let found = users["items"].as_array().unwrap().iter().any(|user| user["id"] == json!(owner_id));
    assert!(found, "support has to find whom to help: {users}");
    let acting = acting(&anonymous, &open(&app, &support, &owner_id).await);
    let password = "a bicycle made of glass";
    let role = json!({"name": "keeper", "title": "Keeper", "level": 30, "permissions": ["runs:read"]});
    let key = json!({"name": "Key", "scopes": ["runs:read"], "expires_at": "2099-01-01T00:00:00Z"});
    let nothing = "00000000-0000-7000-8000-000000000000";
    let matrix = "/api/v1/admin/matrix";
    for (method, path, body) in [
        (
            Method::POST,
            format!("{ME}/password"),
            json!({"old_password": password, "new_password": "another one of glass"}),
        ),
        (Method::POST, format!("{ME}/email"), json!({"email": "eve@acme.example", "password": password})),
        (Method::POST, format!("{ME}/totp"), json!({"password": password})),
        (Method::POST, format!("{ME}/totp/confirm"), json!({"code": "000000"})),
        (Method::POST, format!("{ME}/totp/disable"), json!({"code": "000000"})),
        (Method::DELETE, format!("{ME}/sessions"), json!({})),
        (Method::DELETE, format!("{ME}/sessions/{nothing}"), json!({})),
        (Method::POST, "/api/v1/users/logout".into(), json!({})),
        (Method::PATCH, format!("/api/v1/users/{owner_id}"), json!({"name": "Eve"})),
        (Method::PATCH, format!("/api/v1/users/{someone}"), json!({"role": "owner"})),
        (Method::POST, format!("/api/v1/users/{someone}/deactivate"), json!({})),
        (Method::DELETE, format!("/api/v1/users/{someone}/sessions"), json!({})),
        (Method::POST, "/api/v1/users/invitations".into(), json!({"email": "eve@acme.example", "role": "owner"})),
        (Method::POST, "/api/v1/api-keys".into(), key),
        (Method::POST, format!("/api/v1/api-keys/{nothing}/revoke"), json!({})),
        (Method::POST, format!("{matrix}/roles"), role),
        (Method::POST, format!("{matrix}/services"), json!({"name": "boats", "title": "Boats"})),
        (Method::DELETE, format!("{matrix}/roles/{nothing}"), json!({})),
    ] {
        let answer = acting.send(acting.request(method.clone(), &path).json(&body)).await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
        answer.problem(403, "impersonation.not_in_another_s_name");
    }
    acting.get(&format!("/api/v1/users/{someone}/sessions")).await.expect(200);
    acting.get(&opened_at(&app)).await.problem(403, "access.forbidden");
}

#[tokio::test]
async fn only_staff_who_may_act_in_a_user_s_name_and_only_of_someone_who_is_there() {
    let (app, anonymous, owner) = TestApp::start().await;
    let support = app.staff(StaffRole::Support).await.actor;
    let owner_id = id_of(&owner).await;
    let body = |user: &str, minutes: i64| json!({"user_id": user, "reason": "Help.", "minutes": minutes});
    let ask = async |who: &Actor| who.post(&opened_at(&app), &body(&owner_id, 5)).await;
    ask(&owner).await.problem(403, "access.forbidden");
    ask(&anonymous).await.problem(401, "token.missing");
    for role in [StaffRole::AdminLite, StaffRole::Auditor] {
        ask(&app.staff(role).await.actor).await.problem(403, "access.forbidden");
    }
    for minutes in [0, 61] {
        let answer = support.post(&opened_at(&app), &body(&owner_id, minutes)).await;
        assert_eq!(answer.bad_fields(), ["minutes"]);
    }
    let bad = support.post(&opened_at(&app), &json!({"user_id": "x", "reason": "", "minutes": "long"})).await;
    assert_eq!(bad.bad_fields(), ["user_id", "reason", "minutes"]);
    let stranger = id_of(&app.other_tenant().await).await;
    for user in [stranger.as_str(), &id_of(&support).await, "00000000-0000-7000-8000-000000000000"] {
        support.post(&opened_at(&app), &body(user, 5)).await.problem(404, "user.not_found");
    }
    let short = support.post(&opened_at(&app), &body(&owner_id, 1)).await.expect(201);
    app.secrets.add(short["access_token"].as_str().unwrap());
    assert_eq!(short["expires_at"], short["until"], "the token outlives the impersonation");
    let other = app.staff(StaffRole::Support).await.actor;
    let id = short["id"].as_str().unwrap();
    other.post(&format!("{}/{id}/token", opened_at(&app)), &json!({})).await.problem(404, "impersonation.not_found");
    assert_eq!(delete(&other, &format!("{}/{id}", opened_at(&app))).await.status, 204);
    support.get("/api/v1/reports").await.problem(403, "access.forbidden");
}

/// Seen to fail: with a verdict that does not look at the one who acts.
#[tokio::test]
async fn it_ends_with_the_staff_with_the_user_and_with_the_company() {
    let (app, _, owner) = TestApp::start().await;
    let other_process = app.another_process().await;
    let helpers = [app.staff(StaffRole::Support).await.actor, app.staff(StaffRole::Support).await.actor];
    let [user, owner_id] = [id_of(&app.user().await).await, id_of(&owner).await];
    let by_first = acting(&other_process, &open(&app, &helpers[0], &owner_id).await);
    let of_user = acting(&other_process, &open(&app, &helpers[1], &user).await);
    let by_second = acting(&other_process, &open(&app, &helpers[1], &owner_id).await);
    for actor in [&by_first, &of_user, &by_second] {
        actor.get(ME).await.expect(200);
    }
    let first = id_of(&helpers[0]).await.parse::<uuid::Uuid>().unwrap();
    app.system().state.staff.deactivate(&terminal(), first.into()).await.unwrap();
    refused_since(Instant::now(), &[&by_first]).await;
    of_user.get(ME).await.expect(200);
    let closed = owner.post(&format!("/api/v1/users/{user}/deactivate"), &json!({})).await;
    assert_eq!(closed.status, 204, "{}", closed.text);
    refused_since(Instant::now(), &[&of_user]).await;
    by_second.get(ME).await.expect(200);
    app.change_company(TenantChange::Suspend("Unpaid bills.".parse().unwrap())).await;
    refused_since(Instant::now(), &[&by_second]).await;
    let body = json!({"user_id": owner_id, "reason": "Help."});
    helpers[1].post(&opened_at(&app), &body).await.problem(403, "tenant.kept_out");
}
