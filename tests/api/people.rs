//! People are invited, forget their password, change their address, and are given roles.

use domain::ids::InvitationId;
use domain::invitation::{Invitation, InvitationCommand};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

use application::RequestContext;
use application::ports::commands::Commands;
use domain::access::Preset;

const FORGOT: &str = "/api/v1/public/users/password-reset";
const RESET: &str = "/api/v1/public/users/password-reset/confirm";
const INVITATIONS: &str = "/api/v1/users/invitations";
const ACCEPT: &str = "/api/v1/public/users/invitations/accept";
const ADDRESS: &str = "/api/v1/users/me/email";
const CONFIRM: &str = "/api/v1/public/users/email/confirm";
const LOGIN: &str = "/api/v1/public/users/login";
const ME: &str = "/api/v1/users/me";
const NEW_PASSWORD: &str = "a bicycle made of glass";

async fn login(anonymous: &Actor, email: &str, password: &str) -> Answer {
    anonymous.post(LOGIN, &json!({"email": email, "password": password})).await
}

async fn patch(actor: &Actor, id: &str, change: &Value) -> Answer {
    actor.send(actor.request(Method::PATCH, &format!("/api/v1/users/{id}")).json(change)).await
}

async fn id_of(actor: &Actor) -> String {
    actor.get(ME).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// Looks until the token is refused.
async fn refused_soon(actor: &Actor) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while actor.get(ME).await.status != 401 {
        assert!(tokio::time::Instant::now() < deadline, "the token is still accepted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Seen to fail: with a link that is not marked used, and with sessions that are not ended.
#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_by_a_link_that_works_once() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let device = anonymous.sign_in(&someone.email, &someone.password).await;
    assert_eq!(anonymous.post(FORGOT, &json!({"email": someone.email.to_uppercase()})).await.status, 202);
    let mail = app.mailer().nth(&someone.email, 1).await;
    assert!(mail.text.contains("https://synkro.example/reset-password#token="), "{}", mail.text);
    let (token, reset) = (mail.token(), json!({"token": mail.token(), "password": NEW_PASSWORD}));
    let weak = json!({"token": token, "password": "password1234"});
    assert_eq!(anonymous.post(RESET, &weak).await.bad_fields(), ["password"]);
    assert_eq!(anonymous.post(RESET, &reset).await.status, 204, "a bad password does not use the link up");
    anonymous.post(RESET, &reset).await.problem(409, "link.refused");
    refused_soon(&device).await;
    login(&anonymous, &someone.email, &someone.password).await.problem(401, "sign_in.refused");
    login(&anonymous, &someone.email, NEW_PASSWORD).await.expect(200);
    let told = app.mailer().nth(&someone.email, 2).await;
    assert!(told.subject.contains("was changed"), "{}", told.subject);
    app.secrets.add(&token);
    app.secrets.add(NEW_PASSWORD);
    app.assert_log_keeps_secrets().await;
    let names: Vec<_> = app.events().await.into_iter().map(|event| event.event_type).collect();
    assert!(names.contains(&"UserPasswordReset".to_owned()));
}

/// Seen to fail: with an early answer for unknown addresses, whose rows are missing then; and without the count by address.
#[tokio::test]
async fn who_asks_for_a_link_does_not_learn_who_exists() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    for email in [someone.email.as_str(), "nobody@acme.example"] {
        for _ in 0..5 {
            let answer = anonymous.post(FORGOT, &json!({"email": email})).await;
            assert_eq!((answer.status, answer.text.as_str()), (202, ""), "{email}");
        }
    }
    app.mailer().nth(&someone.email, 3).await;
    let (links, mails): (i64, i64) =
        sqlx::query_as("select (select count(*) from one_time_links), (select count(*) from mails)")
            .fetch_one(app.database().pool())
            .await
            .unwrap();
    assert_eq!((links, mails), (6, 6), "three for each address, known or not");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(app.mailer().sent_to(&someone.email).len(), 3);
    assert!(app.mailer().sent_to("nobody@acme.example").is_empty());
    assert_eq!(anonymous.post(FORGOT, &json!({"email": "no address"})).await.bad_fields(), ["email"]);
}

#[tokio::test]
async fn an_invited_person_joins_with_the_role_of_the_invitation() {
    let (app, anonymous, owner) = TestApp::start().await;
    let user = app.user().await;
    let invite = json!({"email": "pavel@acme.example", "role": "user"});
    user.post(INVITATIONS, &invite).await.problem(403, "access.forbidden");
    let invited = owner.request(Method::POST, INVITATIONS).header("Idempotency-Key", "pavel").json(&invite);
    let answer = owner.send(invited.try_clone().unwrap()).await;
    let id = answer.expect(202)["id"].as_str().unwrap().to_owned();
    assert_eq!(owner.send(invited).await.expect(202)["id"], json!(id), "a repeat invites nobody else");
    owner.post(INVITATIONS, &invite).await.problem(409, "value.taken");
    let mail = app.mailer().nth("pavel@acme.example", 1).await;
    let body = json!({"token": mail.token(), "name": "Pavel", "password": NEW_PASSWORD});
    let joined = anonymous.post(ACCEPT, &body).await.expect(200);
    anonymous.post(ACCEPT, &body).await.problem(409, "link.refused");
    let pavel = anonymous.sign_in("pavel@acme.example", NEW_PASSWORD).await;
    let me = pavel.get(ME).await.expect(200);
    assert_eq!((&me["id"], &me["role"], &me["name"]), (&joined["user_id"], &json!("user"), &json!("Pavel")));
    let listed = owner.get(INVITATIONS).await.expect(200);
    assert_eq!((&listed["items"][0]["status"], &listed["items"][0]["user_id"]), (&json!("accepted"), &me["id"]));
    owner.post(INVITATIONS, &invite).await.problem(409, "value.taken");
    let stranger = app.other_tenant().await;
    stranger.get(&format!("{INVITATIONS}/{id}")).await.problem(404, "invitation.not_found");
    stranger.post(&format!("{INVITATIONS}/{id}/resend"), &json!({})).await.problem(404, "invitation.not_found");
    assert_eq!(app.mailer().sent_to("pavel@acme.example").len(), 1);
    app.secrets.add(&mail.token());
    app.assert_log_keeps_secrets().await;
}

#[tokio::test]
async fn a_link_that_was_replaced_or_revoked_does_not_work() {
    let (app, anonymous, owner) = TestApp::start().await;
    let invite = json!({"email": "vera@acme.example", "role": "user"});
    let id = owner.post(INVITATIONS, &invite).await.expect(202)["id"].as_str().unwrap().to_owned();
    let first = app.mailer().nth("vera@acme.example", 1).await;
    owner.post(&format!("{INVITATIONS}/{id}/resend"), &json!({})).await.expect(202);
    let second = app.mailer().nth("vera@acme.example", 2).await;
    let accept = |token: String| json!({"token": token, "name": "Vera", "password": NEW_PASSWORD});
    anonymous.post(ACCEPT, &accept(first.token())).await.problem(409, "link.refused");
    assert_eq!(owner.post(&format!("{INVITATIONS}/{id}/revoke"), &json!({})).await.status, 204);
    anonymous.post(ACCEPT, &accept(second.token())).await.problem(409, "link.refused");
    owner.post(&format!("{INVITATIONS}/{id}/resend"), &json!({})).await.problem(409, "invitation.revoked");
    owner.post(INVITATIONS, &invite).await.expect(202);
    let third = app.mailer().nth("vera@acme.example", 3).await;
    anonymous.post(ACCEPT, &accept(third.token())).await.expect(200);
    assert_eq!(owner.post(INVITATIONS, &json!({"email": "?", "role": "?!"})).await.bad_fields(), ["email", "role"]);
}

/// Seen to fail with a use case that refused an invitation that was accepted but whose user was not registered yet.
#[tokio::test]
async fn accepting_goes_on_where_it_was_cut_off() {
    let (app, anonymous, owner) = TestApp::start().await;
    let invite = json!({"email": "oleg@acme.example", "role": "owner"});
    let id: InvitationId = owner.post(INVITATIONS, &invite).await.expect(202)["id"].as_str().unwrap().parse().unwrap();
    let mail = app.mailer().nth("oleg@acme.example", 1).await;
    let context = RequestContext::for_system("test", app.company.tenant_id, id.uuid(), id.uuid());
    let accept = InvitationCommand::Accept { at: "2026-01-01T00:00:00Z".parse().unwrap() };
    app.database().commands::<Invitation>().execute(&context, id.uuid(), accept).await.unwrap();
    let body = json!({"token": mail.token(), "name": "Oleg", "password": NEW_PASSWORD});
    anonymous.post(ACCEPT, &body).await.expect(200);
    let oleg = anonymous.sign_in("oleg@acme.example", NEW_PASSWORD).await;
    assert_eq!(oleg.get(ME).await.expect(200)["role"], "owner");
}

#[tokio::test]
async fn another_address_is_confirmed_there_and_told_here() {
    let (app, anonymous, _) = TestApp::start().await;
    let someone = app.credential().await;
    let actor = anonymous.sign_in(&someone.email, &someone.password).await;
    let ask = |email: &str, password: &str| json!({"email": email, "password": password});
    let wrong = ask("vera.new@acme.example", "not the password");
    assert_eq!(actor.post(ADDRESS, &wrong).await.bad_fields(), ["password"]);
    assert_eq!(actor.post(ADDRESS, &ask(&someone.email, &someone.password)).await.bad_fields(), ["email"]);
    assert_eq!(actor.post(ADDRESS, &ask("vera.new@acme.example", &someone.password)).await.status, 202);
    let mail = app.mailer().nth("vera.new@acme.example", 1).await;
    let told = app.mailer().nth(&someone.email, 1).await;
    assert!(told.text.contains("vera.new@acme.example") && !told.text.contains("#token="), "{}", told.text);
    assert_eq!(actor.get(ME).await.expect(200)["email"], json!(someone.email), "nothing changes before");
    let confirm = json!({"token": mail.token()});
    assert_eq!(anonymous.post(CONFIRM, &confirm).await.status, 204);
    anonymous.post(CONFIRM, &confirm).await.problem(409, "link.refused");
    assert_eq!(actor.get(ME).await.expect(200)["email"], "vera.new@acme.example");
    login(&anonymous, &someone.email, &someone.password).await.problem(401, "sign_in.refused");
    anonymous.sign_in("vera.new@acme.example", &someone.password).await;
    assert!(app.mailer().nth(&someone.email, 2).await.subject.contains("was changed"));
    let taken = app.credential().await;
    let other = anonymous.sign_in(&taken.email, &taken.password).await;
    assert_eq!(other.post(ADDRESS, &ask("vera.new@acme.example", &taken.password)).await.status, 202);
    let mail = app.mailer().nth("vera.new@acme.example", 2).await;
    anonymous.post(CONFIRM, &json!({"token": mail.token()})).await.problem(409, "value.taken");
}

/// Seen to fail without the question for the role that a user has now, and without that for the new one.
#[tokio::test]
async fn people_are_changed_by_those_whose_role_manages_theirs() {
    let (app, _, owner) = TestApp::build().preset(Preset::Salon).start().await;
    let (director, admin) = (app.person("director").await, app.person("admin").await);
    let employee = app.person("employee").await;
    let (director_id, admin_id, employee_id) = (id_of(&director).await, id_of(&admin).await, id_of(&employee).await);
    let role = |name: &str| json!({"role": name});
    patch(&employee, &employee_id, &role("sales")).await.problem(403, "access.forbidden");
    patch(&director, &director_id, &role("owner")).await.problem(403, "role.not_managed");
    patch(&director, &employee_id, &role("owner")).await.problem(403, "role.not_managed");
    patch(&director, &id_of(&owner).await, &role("employee")).await.problem(403, "role.not_managed");
    patch(&director, &employee_id, &role("nonsense")).await.problem(404, "role.not_found");
    assert_eq!(patch(&director, &admin_id, &role("manager")).await.status, 204);
    assert_eq!(patch(&director, &employee_id, &role("sales")).await.status, 204);
    let close = |id: &str| format!("/api/v1/users/{id}/deactivate");
    director.post(&close(&id_of(&owner).await), &json!({})).await.problem(403, "role.not_managed");
    assert_eq!(director.post(&close(&employee_id), &json!({})).await.status, 204);
    assert_eq!(director.post(&format!("/api/v1/users/{employee_id}/reactivate"), &json!({})).await.status, 204);
    let invite = |role: &str| json!({"email": format!("new-{role}@acme.example"), "role": role});
    director.post(INVITATIONS, &invite("owner")).await.problem(403, "role.not_managed");
    director.post(INVITATIONS, &invite("sales")).await.expect(202);
    assert_eq!(patch(&director, &director_id, &json!({"name": "The director"})).await.status, 204);
    assert_eq!(director.get(ME).await.expect(200)["name"], "The director");
}

/// A director has every right and stands as high as the owner, who is not on the director's list. Seen to fail without the
/// question for the role of those whose sessions are ended: the owner was signed out.
#[tokio::test]
async fn sessions_are_ended_by_those_whose_role_manages_theirs() {
    let (app, _, owner) = TestApp::build().preset(Preset::Salon).start().await;
    let (director, employee) = (app.person("director").await, app.person("employee").await);
    let of = |id: &str| format!("/api/v1/users/{id}/sessions");
    let end = async |path: &str| director.send(director.request(Method::DELETE, path)).await;
    let (owner_id, employee_id) = (id_of(&owner).await, id_of(&employee).await);
    let open = director.get(&of(&owner_id)).await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    end(&of(&owner_id)).await.problem(403, "role.not_managed");
    end(&format!("{}/{open}", of(&owner_id))).await.problem(403, "role.not_managed");
    owner.get(ME).await.expect(200);
    assert_eq!(end(&of(&employee_id)).await.status, 204);
    refused_soon(&employee).await;
}

/// Requirement D2: an administrator sees users and invites them, and changes nobody. Seen to fail while the operations asked
/// for `users:write`, which no administrator of a salon has.
#[tokio::test]
async fn an_administrator_of_a_salon_sees_users_and_invites_them() {
    let (app, _, _) = TestApp::build().preset(Preset::Salon).start().await;
    let (admin, employee) = (app.person("admin").await, app.person("employee").await);
    let employee_id = id_of(&employee).await;
    let invite = |role: &str| json!({"email": format!("new-{role}@acme.example"), "role": role});
    let invited = admin.post(INVITATIONS, &invite("sales")).await.expect(202);
    let invitation = format!("{INVITATIONS}/{}", invited["id"].as_str().unwrap());
    admin.post(INVITATIONS, &invite("director")).await.problem(403, "role.not_managed");
    for path in ["/api/v1/users", &format!("/api/v1/users/{employee_id}"), INVITATIONS, &invitation] {
        admin.get(path).await.expect(200);
        employee.get(path).await.problem(403, "access.forbidden");
    }
    assert_eq!(admin.post(&format!("{invitation}/revoke"), &json!({})).await.status, 204);
    patch(&admin, &employee_id, &json!({"role": "sales"})).await.problem(403, "access.forbidden");
    admin.get(&format!("/api/v1/users/{employee_id}/sessions")).await.problem(403, "access.forbidden");
}

/// Seen to fail without the list of owners: the last one was let go.
#[tokio::test]
async fn the_last_owner_stays_also_when_two_leave_at_once() {
    let (app, _, one) = TestApp::start().await;
    let one_id = id_of(&one).await;
    let user = json!({"role": "user"});
    patch(&one, &one_id, &user).await.problem(409, "owners.last");
    one.post(&format!("/api/v1/users/{one_id}/deactivate"), &json!({})).await.problem(409, "owners.last");
    for round in 0..4 {
        let two = app.person("owner").await;
        let two_id = id_of(&two).await;
        let (a, b) = tokio::join!(patch(&one, &two_id, &user), async {
            one.post(&format!("/api/v1/users/{one_id}/deactivate"), &json!({})).await
        });
        let left: Vec<String> = sqlx::query_scalar(
            "select payload->>'user_id' from events where event_type in ('OwnerAppointed', 'OwnerDismissed')
             group by 1 having count(*) filter (where event_type = 'OwnerAppointed')
                             > count(*) filter (where event_type = 'OwnerDismissed')",
        )
        .fetch_all(app.database().pool())
        .await
        .unwrap();
        assert!(!left.is_empty(), "round {round}: nobody is left: {} {}", a.status, b.status);
        if b.status == 204 {
            a.any_problem();
            return;
        }
        b.problem(409, "owners.last");
        assert_eq!(a.status, 204);
    }
}
