//! Who gets what: every operation of the OpenAPI document, called by everyone, against tables that people read before they
//! accept a change.
//!
//! `outside.txt` has those who have no business with the company: nobody, a token that was tampered with, one that has
//! expired, and the owner of another company with the ids of real things. `programs.txt` has API keys: one that may read, one
//! that may everything, and those whose time is over or that were revoked. `acting.txt` has staff in users' names. The other
//! tables have every role of each preset. A status says how the operation answered a request that is right in everything but
//! perhaps who sends it, about a thing that is ready for it.
//!
//! `staff.txt` has the platform's staff.
//!
//! A new operation needs a line in `calls.rs`, and one in each table: `UPDATE_COVERAGE=1` writes them, review shows what
//! changed. A new kind of caller is a column.

mod calls;
mod table;
mod world;

use std::time::Duration;

use chrono::TimeDelta;
use domain::access::{Catalogue, Grant, Preset, Rights, StaffRole};
use reqwest::Method;
use testkit::{Answer, TestApp};

use crate::operations::{Operation, operations};
use calls::Call;
use table::Table;
use world::{Someone, World};

/// Operations that end the sessions, or change the password, of whoever calls them.
const END_THE_CALLER: [&str; 3] = ["change_password", "end_own_other_sessions", "sign_out"];

/// Operations that are asked about the caller, so that the request of one is none of another's.
const ABOUT_THE_CALLER: [&str; 4] = ["begin_totp", "change_password", "end_own_session", "request_email_change"];

/// An operation and, between its callers, the request that none of them has used up.
struct Asked<'a> {
    world: &'a World<'a>,
    operation: &'a Operation,
    ready: Option<Call>,
}

impl<'a> Asked<'a> {
    fn new(world: &'a World<'a>, operation: &'a Operation) -> Self {
        Self { world, operation, ready: None }
    }

    async fn by(&mut self, caller: &Someone) -> Answer {
        let Operation { id, method, .. } = self.operation;
        let call = match self.ready.take() {
            Some(call) => call,
            None => self.world.call(self.operation, caller).await,
        };
        let request = caller.actor.request(method.clone(), &call.path);
        let request = if let Some(body) = &call.body { request.json(body) } else { request };
        let answer = caller.actor.send(request).await;
        assert!(answer.status < 500, "{id} fails: {}", answer.text);
        self.operation.assert_documented(&answer);
        let spent = answer.status < 400 && *method != Method::GET;
        if !spent && !ABOUT_THE_CALLER.contains(&id.as_str()) {
            self.ready = Some(call);
        }
        answer
    }
}

/// Every role of the preset, as the operations answered them.
async fn answers_to_roles(preset: Preset) -> Table {
    let (app, anonymous, owner) = TestApp::build().preset(preset).self_service().start().await;
    let world = World::of(&app, &anonymous, &owner, preset).await;
    let roles: Vec<String> = preset.roles().into_iter().map(|role| role.name.to_string()).collect();
    let rights = rights(preset);
    let mut people = Vec::new();
    for role in &roles {
        people.push(world.person(role).await);
    }
    let mut table = Table::new(roles.clone());
    for operation in operations() {
        let mut row = Vec::new();
        let mut asked = Asked::new(&world, &operation);
        for ((role, person), rights) in roles.iter().zip(&people).zip(&rights) {
            let answer = if END_THE_CALLER.contains(&operation.id.as_str()) {
                asked.by(&world.person(role).await).await
            } else {
                asked.by(person).await
            };
            assert_ne!(answer.status, 401, "{} does not know who is signed in: {}", operation.id, answer.text);
            assert_conforms(&operation, role, rights, &answer);
            row.push(answer.status);
        }
        table.push(&operation.id, row);
    }
    table
}

/// What each role of the preset may.
fn rights(preset: Preset) -> Vec<Rights> {
    let mut catalogue = Catalogue::default();
    preset.catalogue().into_iter().for_each(|(entry, title)| catalogue.put(entry, title));
    preset.roles().iter().map(|role| Rights::compile(&role.permissions, &catalogue)).collect()
}

/// Whatever the table says: who has the right that the document names is not refused for it, and nobody else gets on. Who
/// manages whom is asked after that.
fn assert_conforms(operation: &Operation, role: &str, rights: &Rights, answer: &Answer) {
    let allowed = operation.platform_right.is_none() && operation.right.is_none_or(|right| rights.allows(right));
    let refused = answer.status == 403 && answer.json()["code"] == "access.forbidden";
    assert_eq!(refused, !allowed, "{} answers {role} with {}", operation.id, answer.text);
    assert!(refused || answer.status != 403 || answer.json()["code"] == "role.not_managed", "{}", answer.text);
}

/// Whatever the table says: who has the platform right that the document names gets on, nobody else does, and what asks for a
/// right in a company is closed to all staff.
#[tokio::test]
async fn staff() {
    let (app, anonymous, owner) = TestApp::build().self_service().start().await;
    let world = World::of(&app, &anonymous, &owner, Preset::Sales).await;
    let mut people = Vec::new();
    for role in StaffRole::ALL {
        people.push((role, Someone::without_password(app.staff(role).await.actor)));
    }
    let mut table = Table::new(StaffRole::ALL.map(|role| role.name().to_owned()).to_vec());
    for operation in operations() {
        let mut row = Vec::new();
        let mut asked = Asked::new(&world, &operation);
        for (role, person) in &people {
            let answer = if END_THE_CALLER.contains(&operation.id.as_str()) {
                asked.by(&Someone::without_password(app.staff(*role).await.actor)).await
            } else {
                asked.by(person).await
            };
            let refused = answer.status == 403 && answer.json()["code"] == "access.forbidden";
            match operation.platform_right {
                Some(right) => assert_eq!(refused, !role.allows(right), "{} to {role}: {}", operation.id, answer.text),
                None => assert!(refused || operation.right.is_none(), "{} to {role}: {}", operation.id, answer.text),
            }
            row.push(answer.status);
        }
        table.push(&operation.id, row);
    }
    table.assert_reviewed("staff");
}

/// Takes minutes where the machine is busy: every role asks every operation. Seen to fail: with a list that asks for another
/// right than its operation names.
#[tokio::test]
async fn roles_of_every_company() {
    answers_to_roles(Preset::Sales).await.assert_reviewed("sales");
}

#[tokio::test]
async fn roles_of_a_crm() {
    answers_to_roles(Preset::Crm).await.assert_reviewed("crm");
}

#[tokio::test]
async fn roles_of_a_property_manager() {
    answers_to_roles(Preset::Property).await.assert_reviewed("property");
}

#[tokio::test]
async fn roles_of_a_salon() {
    answers_to_roles(Preset::Salon).await.assert_reviewed("salon");
}

/// Whatever the table says: who is not signed in is let in nowhere but at public operations, and another company's things are
/// not there, which is never told from being forbidden.
#[tokio::test]
async fn outsiders() {
    let (app, anonymous, owner) = TestApp::build().self_service().start().await;
    let world = World::of(&app, &anonymous, &owner, Preset::Sales).await;
    let stranger = Someone::without_password(app.other_tenant().await);
    let tampered = Someone::without_password(anonymous.with_token(&tampered(owner.token())));
    let expired = Someone::without_password(anonymous.with_token(&app.token_of(&owner, 60)));
    let nobody = Someone::without_password(anonymous.clone());
    let columns = ["anonymous", "tampered", "expired", "other_company"].map(str::to_owned);
    let mut table = Table::new(columns.to_vec());
    for operation in operations() {
        let mut row = Vec::new();
        let mut asked = Asked::new(&world, &operation);
        for caller in [&nobody, &tampered, &expired] {
            let answer = asked.by(caller).await;
            let refused = answer.status == 401;
            assert_eq!(refused, !operation.public, "{} answers {}", operation.id, answer.status);
            row.push(answer.status);
        }
        let answer = asked.by(&stranger).await;
        if operation.platform_right.is_some() {
            answer.problem(403, "access.forbidden");
        } else if ["{id}", "{position}"].iter().any(|thing| operation.path.contains(thing)) {
            assert_eq!(answer.status, 404, "{} shows another company's thing: {}", operation.id, answer.text);
        }
        if !operation.public {
            world.assert_names_nothing(&operation.id, &answer);
        }
        row.push(answer.status);
        table.push(&operation.id, row);
    }
    table.assert_reviewed("outside");
}

/// What an API key may.
fn rights_of_key(scope: &str) -> Rights {
    Rights::compile([&scope.parse::<Grant>().unwrap()], &Catalogue::default())
}

/// Whatever the table says: a key does what its scopes say, and never what takes a person; one that is over is let in nowhere
/// but at public operations.
fn assert_program_conforms(operation: &Operation, key: &str, rights: Option<&Rights>, answer: &Answer) {
    let Operation { id, public, right, platform_right, .. } = operation;
    assert_eq!(answer.status == 401, rights.is_none() && !public, "{id} answers {key} with {}", answer.text);
    let Some(rights) = rights.filter(|_| !public) else { return };
    let code = if answer.status == 403 { answer.json()["code"].as_str().map(str::to_owned) } else { None };
    match *right {
        _ if platform_right.is_some() => drop(answer.problem(403, "access.forbidden")),
        Some(right) if !rights.allows(right) => {
            assert_eq!(code.as_deref(), Some("access.forbidden"), "{id} answers {key} with {}", answer.text);
        }
        Some(_) => assert_ne!(code.as_deref(), Some("access.forbidden"), "{id} answers {key} with {}", answer.text),
        // What needs no right is about the one who is signed in, and a key is nobody.
        None => assert_ne!(answer.status / 100, 2, "{id} takes {key} for a person: {}", answer.text),
    }
}

#[tokio::test]
async fn programs() {
    let (app, anonymous, owner) = TestApp::build().self_service().start().await;
    let world = World::of(&app, &anonymous, &owner, Preset::Sales).await;
    let day = TimeDelta::days(1);
    let (reader, all) = (world.program("*:read", day).await.1, world.program("*", day).await.1);
    let (id, revoked) = world.program("*", day).await;
    world.revoke_api_key(&id).await;
    let expired = world.program("*", TimeDelta::seconds(1)).await.1;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let callers = [
        ("reads", reader, Some(rights_of_key("*:read"))),
        ("everything", all, Some(rights_of_key("*"))),
        ("expired", expired, None),
        ("revoked", revoked, None),
    ];
    let callers = callers.map(|(name, actor, rights)| (name, Someone::without_password(actor), rights));
    let mut table = Table::new(callers.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for operation in operations() {
        let (mut row, mut asked) = (Vec::new(), Asked::new(&world, &operation));
        for (name, program, rights) in &callers {
            let answer = asked.by(program).await;
            assert_program_conforms(&operation, name, rights.as_ref(), &answer);
            row.push(answer.status);
        }
        table.push(&operation.id, row);
    }
    table.assert_reviewed("programs");
}

/// Whatever the table says: what can be seen is seen in a user's name as the user sees it, and nothing gets on by an
/// impersonation that was ended.
#[tokio::test]
async fn staff_in_a_user_s_name() {
    let (app, anonymous, owner) = TestApp::build().self_service().start().await;
    let world = World::of(&app, &anonymous, &owner, Preset::Sales).await;
    let owner_id = owner.get("/api/v1/users/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let user = world.person("user").await;
    let user_id = user.actor.get("/api/v1/users/me").await.expect(200)["id"].as_str().unwrap().to_owned();
    let (_, as_owner) = world.impersonation(&owner_id).await;
    let (_, as_user) = world.impersonation(&user_id).await;
    let (ended, refused) = world.impersonation(&owner_id).await;
    world.end_impersonation(&ended).await;
    let roles = rights(Preset::Sales);
    let callers =
        [("as_owner", as_owner, Some(&roles[0])), ("as_user", as_user, Some(&roles[1])), ("ended", refused, None)];
    let callers = callers.map(|(name, actor, rights)| (name, Someone::without_password(actor), rights));
    let mut table = Table::new(callers.iter().map(|(name, ..)| (*name).to_owned()).collect());
    for operation in operations() {
        let (mut row, mut asked) = (Vec::new(), Asked::new(&world, &operation));
        for (name, caller, rights) in &callers {
            let answer = asked.by(caller).await;
            let refused = rights.is_none() && !operation.public;
            assert_eq!(answer.status == 401, refused, "{} answers {name} with {}", operation.id, answer.text);
            if let Some(rights) = rights.filter(|_| operation.method == Method::GET && !operation.public) {
                assert_conforms(&operation, name, rights, &answer);
            }
            row.push(answer.status);
        }
        table.push(&operation.id, row);
    }
    table.assert_reviewed("acting");
}

/// The same token with one letter of what it claims changed.
fn tampered(token: &str) -> String {
    let from = token.find('.').unwrap() + 20;
    let other = if &token[from..=from] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..from], &token[from + 1..])
}
