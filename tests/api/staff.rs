//! The platform's staff: getting in, what each role may, and what ends it.

use std::time::{Duration, Instant};

use application::RequestContext;
use application::ports::clock::Clock;
use application::ports::second_factors::FactorOwner;
use application::use_cases::NewStaff;
use domain::access::StaffRole;
use domain::ids::{SessionId, UserId};
use infrastructure::system::SystemClock;
use serde_json::{Value, json};
use testkit::{TestApp, totp};

const ME: &str = "/api/v1/users/me";
const STAFF: &str = "/api/v1/platform/staff";
const TENANTS: &str = "/api/v1/platform/tenants";
const LOGIN: &str = "/api/v1/public/users/login";
const INVITATIONS: &str = "/api/v1/users/invitations";
const REFRESH: &str = "/api/v1/public/users/refresh";

/// How long a change may take to reach another process.
const SOON: Duration = Duration::from_secs(1);

fn role(name: &str) -> Value {
    json!({ "role": name })
}

#[tokio::test]
async fn staff_work_for_the_platform_and_companies_people_for_their_company() {
    let (app, _, owner) = TestApp::start().await;
    let admin = app.staff(StaffRole::SuperAdmin).await;
    let me = admin.actor.get(ME).await.expect(200);
    assert_eq!((&me["role"], &me["tenant_id"]), (&json!("super_admin"), &Value::Null));
    for path in ["/api/v1/runs", "/api/v1/reports", "/api/v1/users", "/api/v1/admin/matrix/roles"] {
        admin.actor.get(path).await.problem(403, "access.forbidden");
    }
    for path in [STAFF, TENANTS] {
        owner.get(path).await.problem(403, "access.forbidden");
        admin.actor.get(path).await.expect(200);
    }
    let company = app.company.tenant_id;
    let listed = admin.actor.get(&format!("{TENANTS}?text=no-company-has-this")).await.expect(200);
    assert_eq!(listed["items"], json!([]));
    let found = admin.actor.get(&format!("{TENANTS}/{company}")).await.expect(200);
    assert_eq!(found["tenant"]["status"], "active");
    let users = admin.actor.get(&format!("{TENANTS}/{company}/users")).await.expect(200);
    assert!(!users["items"].as_array().unwrap().is_empty());
    let nowhere = format!("{TENANTS}/{}/users", admin.id);
    admin.actor.get(&nowhere).await.problem(404, "tenant.not_found");
}

/// Seen to fail: with `own_account` and `authorize_platform` that do not ask for the second factor.
#[tokio::test]
async fn staff_do_nothing_before_an_app_is_set_up() {
    let (app, _, _) = TestApp::start().await;
    for role in StaffRole::ALL {
        let bare = app.staff_without_second_factor(role).await.actor;
        bare.get(TENANTS).await.problem(403, "totp.enrolment_required");
    }
    let bare = app.staff_without_second_factor(StaffRole::SuperAdmin).await;
    bare.actor.get(ME).await.expect(200);
    for path in [TENANTS, STAFF, "/api/v1/users/me/sessions"] {
        bare.actor.get(path).await.problem(403, "totp.enrolment_required");
    }
    let passwords = json!({"old_password": bare.credential.password, "new_password": "a bicycle made of glass"});
    bare.actor.post(&format!("{ME}/password"), &passwords).await.problem(403, "totp.enrolment_required");
    let admin = app.with_second_factor(bare).await;
    admin.actor.get(TENANTS).await.expect(200);
    let give_up = admin.actor.post(&format!("{ME}/totp/disable"), &json!({"code": "000000"})).await;
    give_up.problem(409, "totp.needed");
}

/// As where the process is killed after the app is confirmed and before the other sessions are ended. Seen to fail with a
/// refresh that asks whether there is an app, and not whether a code was shown.
#[tokio::test]
async fn a_session_without_a_code_is_not_renewed_once_an_app_is_set_up() {
    let (app, anonymous, _) = TestApp::start().await;
    let before = app.staff_without_second_factor(StaffRole::SuperAdmin).await;
    let login = json!({"email": before.credential.email, "password": before.credential.password});
    let tokens = anonymous.post(LOGIN, &login).await.expect(200);
    let actor = anonymous.with_token(tokens["access_token"].as_str().unwrap());
    let begun = actor.post(&format!("{ME}/totp"), &json!({"password": before.credential.password})).await.expect(200);
    let owner = FactorOwner { user_id: before.id.parse().unwrap(), tenant_id: None };
    let session: SessionId = tokens["session_id"].as_str().unwrap().parse().unwrap();
    let (factors, now) = (&app.system().state.second_factor.factors, SystemClock.now());
    let code = totp(begun["secret"].as_str().unwrap(), now).into();
    assert!(factors.confirm(owner, session, &code, now).await.unwrap().is_some());
    let refresh = async |token: &str| anonymous.post(REFRESH, &json!({"refresh_token": token})).await;
    refresh(&before.refresh).await.problem(401, "refresh.refused");
    let fresh = refresh(tokens["refresh_token"].as_str().unwrap()).await.expect(200);
    anonymous.with_token(fresh["access_token"].as_str().unwrap()).get(TENANTS).await.expect(200);
}

#[tokio::test]
async fn a_company_is_set_up_kept_out_and_let_in_again() {
    let (app, _, owner) = TestApp::start().await;
    let admin = app.staff(StaffRole::SuperAdmin).await.actor;
    let new = json!({"name": "Northern Forest", "slug": "northern-forest"});
    let send = async || {
        let request = admin.request(reqwest::Method::POST, TENANTS).header("Idempotency-Key", "k1").json(&new);
        admin.send(request).await
    };
    let made = send().await.expect(201);
    let repeat = send().await;
    assert_eq!(
        (repeat.expect(201)["id"].as_str(), repeat.header("Idempotent-Replayed")),
        (made["id"].as_str(), Some("true"))
    );
    let path = format!("{TENANTS}/{}", made["id"].as_str().unwrap());
    let invited = json!({"email": "olga@northern-forest.example", "role": "owner"});
    admin.post(&format!("{path}/users"), &invited).await.expect(201);
    assert_eq!(admin.post(&format!("{path}/activate"), &json!({})).await.status, 204);
    let company = format!("{TENANTS}/{}", app.company.tenant_id);
    assert_eq!(admin.post(&format!("{company}/suspend"), &json!({"reason": "Unpaid."})).await.status, 204);
    let began = Instant::now();
    while owner.get(ME).await.status != 401 {
        assert!(began.elapsed() < SOON, "the token is still accepted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(admin.post(&format!("{company}/resume"), &json!({})).await.status, 204);
    let wrong = json!({"confirm_slug": "another-company"});
    assert_eq!(admin.post(&format!("{path}/close"), &wrong).await.bad_fields(), ["confirm_slug"]);
    let right = json!({"confirm_slug": "northern-forest"});
    admin.post(&format!("{path}/close"), &right).await.problem(409, "tenant.not_offboarding");
    let events = app.events().await;
    let told = |name: &str| events.iter().find(|event| event.event_type == name).unwrap().metadata.to_string();
    let suspended: Value = serde_json::from_str(&told("TenantSuspended")).unwrap();
    let who = (&suspended["actor_kind"], &suspended["actor_role"], &suspended["right"]);
    assert_eq!(who, (&json!("staff"), &json!("super_admin"), &json!("platform.tenants:write")));
}

/// Seen to fail with a view of revocations that does not know `StaffRoleChanged`.
#[tokio::test]
async fn another_role_and_a_deactivation_count_in_every_process_within_a_second() {
    let (app, anonymous, _) = TestApp::start().await;
    let there = app.another_process().await;
    let admin = app.staff(StaffRole::SuperAdmin).await;
    let other = app.staff_without_second_factor(StaffRole::AdminLite).await;
    let there = there.with_token(other.actor.token());
    there.get(ME).await.expect(200);
    let path = format!("{STAFF}/{}", other.id);
    let put =
        |body: Value| admin.actor.send(admin.actor.request(reqwest::Method::PUT, &format!("{path}/role")).json(&body));
    assert_eq!(put(role("support")).await.status, 204);
    let refused = async |began: Instant| {
        for actor in [&other.actor, &there] {
            while actor.get(ME).await.status != 401 {
                assert!(began.elapsed() < SOON, "the token is still accepted");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    refused(Instant::now()).await;
    assert_eq!(admin.actor.post(&format!("{path}/deactivate"), &json!({})).await.status, 204);
    let login = json!({"email": other.credential.email, "password": other.credential.password});
    anonymous.post(LOGIN, &login).await.problem(401, "sign_in.refused");
    assert_eq!(admin.actor.post(&format!("{path}/reactivate"), &json!({})).await.status, 204);
    anonymous.post(LOGIN, &login).await.expect(200);
}

/// Seen to fail with a roster that nobody is dismissed from.
#[tokio::test]
async fn the_last_super_admin_stays_and_nobody_changes_the_own_role() {
    let (app, _, _) = TestApp::start().await;
    let admin = app.staff(StaffRole::SuperAdmin).await;
    let path = |id: &str| format!("{STAFF}/{id}");
    let put = async |id: &str, name: &str| {
        admin
            .actor
            .send(admin.actor.request(reqwest::Method::PUT, &format!("{}/role", path(id))).json(&role(name)))
            .await
    };
    put(&admin.id, "auditor").await.problem(403, "staff.own_role");
    let deactivate = format!("{}/deactivate", path(&admin.id));
    admin.actor.post(&deactivate, &json!({})).await.problem(409, "super_admins.last");
    // One who was invited and has no password yet cannot act, so the other one is still the last.
    let invited = json!({"email": "new@synkro.example", "name": "New", "role": "super_admin"});
    admin.actor.post(STAFF, &invited).await.expect(201);
    admin.actor.post(&deactivate, &json!({})).await.problem(409, "super_admins.last");
    let second = app.staff(StaffRole::SuperAdmin).await;
    assert_eq!(put(&second.id, "support").await.status, 204);
    admin.actor.post(&deactivate, &json!({})).await.problem(409, "super_admins.last");
    assert_eq!(put(&second.id, "super_admin").await.status, 204);
    assert_eq!(admin.actor.post(&deactivate, &json!({})).await.status, 204);
}

/// Seen to fail with a roster that nobody is dismissed from.
#[tokio::test]
async fn of_two_super_admins_who_lose_the_role_at_once_one_keeps_it() {
    let (app, _, _) = TestApp::start().await;
    let people = [app.staff(StaffRole::SuperAdmin).await, app.staff(StaffRole::SuperAdmin).await];
    let [one, other]: [UserId; 2] = people.map(|person| person.id.parse().unwrap());
    let system = app.system();
    let change = async |id: UserId, role: StaffRole| {
        let context = RequestContext::for_support("ops-anna".parse().unwrap(), system.ids.next());
        system.state.staff.change_role(&context, id, role).await
    };
    for round in 0..10 {
        let (first, second) = tokio::join!(change(one, StaffRole::Auditor), change(other, StaffRole::Auditor));
        let refused: Vec<_> = [first, second].into_iter().filter_map(Result::err).map(|error| error.code).collect();
        assert_eq!(refused, ["super_admins.last"], "round {round}");
        for id in [one, other] {
            change(id, StaffRole::SuperAdmin).await.unwrap();
        }
    }
}

#[tokio::test]
async fn users_of_a_company_are_kept_out_and_only_super_admins_remove_them() {
    let (app, anonymous, _) = TestApp::start().await;
    let (admin, lite) = (app.staff(StaffRole::SuperAdmin).await.actor, app.staff(StaffRole::AdminLite).await.actor);
    let someone = app.credential_as("user").await;
    let id = anonymous.sign_in(&someone.email, &someone.password).await.get(ME).await.expect(200)["id"].clone();
    let path = format!("{TENANTS}/{}/users/{}", app.company.tenant_id, id.as_str().unwrap());
    let remove = async |actor: &testkit::Actor| actor.send(actor.request(reqwest::Method::DELETE, &path)).await;
    remove(&lite).await.problem(403, "access.forbidden");
    remove(&admin).await.problem(409, "user.not_deactivated");
    assert_eq!(lite.post(&format!("{path}/disable"), &json!({})).await.status, 204);
    assert_eq!(lite.post(&format!("{path}/enable"), &json!({})).await.status, 204);
    assert_eq!(lite.post(&format!("{path}/disable"), &json!({})).await.status, 204);
    assert_eq!(remove(&admin).await.status, 204);
    let credentials = &app.system().state.staff.roster.credentials;
    let removed = id.as_str().unwrap().parse().unwrap();
    assert!(credentials.get(removed).await.unwrap().is_none(), "the password of a removed user is kept");
    lite.post(&format!("{path}/enable"), &json!({})).await.problem(404, "user.not_found");
}

#[tokio::test]
async fn only_super_admins_invite_for_a_role_with_power_over_others() {
    let (app, _, owner) = TestApp::start().await;
    let (admin, lite) = (app.staff(StaffRole::SuperAdmin).await.actor, app.staff(StaffRole::AdminLite).await.actor);
    let manages = |name: &str, list: Value| json!({"name": name, "title": name, "level": 20, "permissions": ["runs:read"], "may_manage": list});
    let highest = json!({"name": "highest", "title": "Highest", "level": 100, "permissions": ["runs:read"]});
    for new in
        [manages("leader", json!(["user"])), manages("ruler", json!(["*"])), manages("clerk", json!([])), highest]
    {
        owner.post("/api/v1/admin/matrix/roles", &new).await.expect(200);
    }
    let path = format!("{TENANTS}/{}/users", app.company.tenant_id);
    let invite = async |who: &testkit::Actor, role: &str| {
        who.post(&path, &json!({"email": format!("{role}@elsewhere.example"), "role": role})).await
    };
    for role in ["owner", "leader", "ruler", "highest"] {
        invite(&lite, role).await.problem(403, "access.forbidden");
        invite(&admin, role).await.expect(201);
    }
    for role in ["user", "clerk"] {
        invite(&lite, role).await.expect(201);
    }
    invite(&lite, "nobody").await.problem(404, "role.not_found");
}

/// Whoever invites for `user`, who reads reports, could invite a mailbox of their own. Seen to fail: with an invitation of
/// `admin_lite` that is open at once, and with a proposal that is mailed.
#[tokio::test]
async fn what_admin_lite_proposes_lets_nobody_in_before_the_company_sends_it() {
    let (app, anonymous, owner) = TestApp::start().await;
    let (admin, lite) = (app.staff(StaffRole::SuperAdmin).await.actor, app.staff(StaffRole::AdminLite).await.actor);
    let path = format!("{TENANTS}/{}/users", app.company.tenant_id);
    let invite = async |who: &testkit::Actor, email: &str| {
        let made = who.post(&path, &json!({"email": email, "role": "user"})).await.expect(201);
        format!("{INVITATIONS}/{}", made["id"].as_str().unwrap())
    };
    let status = async |path: &str| owner.get(path).await.expect(200)["invitation"]["status"].clone();
    let (proposed, turned_down) =
        (invite(&lite, "own@synkro.example").await, invite(&lite, "bad@synkro.example").await);
    let direct = invite(&admin, "new@acme.example").await;
    app.mailer().nth("new@acme.example", 1).await;
    assert_eq!((status(&proposed).await, status(&direct).await), (json!("proposed"), json!("open")));
    assert_eq!(app.mailer().sent_to("own@synkro.example").len(), 0);
    for staff in [&lite, &admin] {
        staff.post(&format!("{proposed}/resend"), &json!({})).await.problem(403, "access.forbidden");
    }
    app.user().await.post(&format!("{proposed}/resend"), &json!({})).await.problem(403, "access.forbidden");
    assert_eq!(owner.post(&format!("{turned_down}/revoke"), &json!({})).await.status, 204);
    owner.post(&format!("{turned_down}/resend"), &json!({})).await.problem(409, "invitation.revoked");
    owner.post(&format!("{proposed}/resend"), &json!({})).await.expect(202);
    let token = app.mailer().nth("own@synkro.example", 1).await.token();
    let join = json!({"token": token, "name": "Anna", "password": "a bicycle made of glass"});
    anonymous.post("/api/v1/public/users/invitations/accept", &join).await.expect(200);
    assert_eq!((status(&proposed).await, status(&turned_down).await), (json!("accepted"), json!("revoked")));
    let events = app.events().await;
    let rights: Vec<&Value> = events
        .iter()
        .filter(|event| ["UserInvited", "InvitationProposed"].contains(&event.event_type.as_str()))
        .map(|event| &event.metadata["right"])
        .collect();
    assert_eq!(rights, ["platform.users:write", "platform.users:write", "platform.users:appoint"]);
}

#[tokio::test]
async fn asking_for_passwords_in_public_does_not_keep_staff_from_a_link_of_the_terminal() {
    let (app, anonymous, _) = TestApp::start().await;
    let person = app.staff_without_second_factor(StaffRole::Support).await;
    let asked = json!({"email": person.credential.email});
    for _ in 0..3 {
        anonymous.post("/api/v1/public/users/password-reset", &asked).await;
    }
    let system = app.system();
    let mut last = None;
    for _ in 0..4 {
        let terminal = RequestContext::for_support("ops-anna".parse().unwrap(), system.ids.next());
        last = Some(system.state.staff.link(&terminal, person.id.parse().unwrap()).await.unwrap());
    }
    let token = last.unwrap().reveal().split_once("#token=").unwrap().1.to_owned();
    let chosen = json!({"token": token, "password": "a bicycle made of glass"});
    let answer = anonymous.post("/api/v1/public/users/password-reset/confirm", &chosen).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// As where the process is killed after the password is kept and before the list is: the next sign-in writes it.
#[tokio::test]
async fn a_super_admin_who_signs_in_is_on_the_list_whatever_was_cut_off_before() {
    let (app, anonymous, _) = TestApp::start().await;
    let system = app.system();
    let staff = &system.state.staff;
    let terminal = || RequestContext::for_support("ops-anna".parse().unwrap(), system.ids.next());
    let admin = app.staff(StaffRole::SuperAdmin).await;
    let (email, name) = ("second@synkro.example".parse().unwrap(), "Second".parse().unwrap());
    let new = NewStaff { email, name, role: StaffRole::SuperAdmin };
    let second = staff.add_with_link(&terminal(), new).await.unwrap().0.id;
    let credentials = &staff.roster.credentials;
    let hash = credentials.get(admin.id.parse().unwrap()).await.unwrap().unwrap();
    credentials.set(second, hash).await.unwrap();
    let deactivate = async || staff.deactivate(&terminal(), admin.id.parse().unwrap()).await;
    assert_eq!(deactivate().await.unwrap_err().code, "super_admins.last");
    let login = json!({"email": "second@synkro.example", "password": admin.credential.password});
    anonymous.post(LOGIN, &login).await.expect(200);
    deactivate().await.unwrap();
}

/// As where the process is killed after the password is kept and before the list is.
#[tokio::test]
async fn the_last_super_admin_stays_even_if_the_list_was_never_written() {
    let (app, _, _) = TestApp::start().await;
    let system = app.system();
    let staff = &system.state.staff;
    let terminal = || RequestContext::for_support("ops-anna".parse().unwrap(), system.ids.next());
    let (email, name) = ("first@synkro.example".parse().unwrap(), "First".parse().unwrap());
    let new = NewStaff { email, name, role: StaffRole::SuperAdmin };
    let first = staff.add_with_link(&terminal(), new).await.unwrap().0.id;
    let other = app.staff_without_second_factor(StaffRole::Auditor).await;
    let credentials = &staff.roster.credentials;
    let hash = credentials.get(other.id.parse().unwrap()).await.unwrap().unwrap();
    credentials.set(first, hash).await.unwrap();
    assert_eq!(staff.change_role(&terminal(), first, StaffRole::Auditor).await.unwrap_err().code, "super_admins.last");
    assert_eq!(staff.deactivate(&terminal(), first).await.unwrap_err().code, "super_admins.last");
}
