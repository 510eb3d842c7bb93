//! Who gets what: every operation of the OpenAPI document, called by everyone, against tables that people read before they
//! accept a change.
//!
//! `outside.txt` has those who have no business with the company: nobody, a token that was tampered with, one that has
//! expired, and the owner of another company with the ids of real things. The other tables have every role of each preset. A
//! status says how the operation answered a request that is right in everything but perhaps who sends it, about a thing that
//! is ready for it.
//!
//! `staff.txt` has the platform's staff.
//!
//! A new operation needs a line in `calls.rs`, and one in each table: `UPDATE_COVERAGE=1` writes them, review shows what
//! changed. A new kind of caller is a column.

mod calls;
mod table;
mod world;

use domain::access::{Catalogue, Preset, Rights, StaffRole};
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

/// Takes minutes where the machine is busy: every role asks every operation.
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
        } else if operation.path.contains("{id}") {
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

/// The same token with one letter of what it claims changed.
fn tampered(token: &str) -> String {
    let from = token.find('.').unwrap() + 20;
    let other = if &token[from..=from] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &token[..from], &token[from + 1..])
}
