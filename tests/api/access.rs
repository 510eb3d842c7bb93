//! Roles and what they may, from defining one to being refused by it.

use std::time::{Duration, Instant};

use domain::access::Preset;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const ROLES: &str = "/api/v1/admin/matrix/roles";
const CHECK: &str = "/api/v1/access/check";

async fn send(actor: &Actor, method: Method, path: &str, body: &Value) -> testkit::Answer {
    actor.send(actor.request(method, path).json(body)).await
}

/// The role of this name, as the list shows it.
async fn role(owner: &Actor, name: &str) -> Value {
    let roles = owner.get(&format!("{ROLES}?limit=100")).await.expect(200);
    let items = roles["items"].as_array().unwrap();
    items.iter().find(|role| role["name"] == name).unwrap_or_else(|| panic!("{name} is not in {roles}")).clone()
}

fn at(role: &Value) -> String {
    format!("{ROLES}/{}", role["id"].as_str().unwrap())
}

/// The verdict on one question of the caller about themselves.
async fn asked(actor: &Actor, resource: &str, action: &str, reach: Option<&str>) -> Value {
    let question = json!({"resource": resource, "action": action, "reach": reach});
    actor.post(CHECK, &json!({"checks": [question]})).await.expect(200)["checks"][0].clone()
}

/// Waits until the path answers with the status; fails where that takes more than a second.
async fn within_a_second(actor: &Actor, path: &str, status: u16) {
    let began = Instant::now();
    loop {
        let answer = actor.get(path).await;
        if answer.status == status {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{path} still answers {}: {}", answer.status, answer.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Seen to fail with a matrix that did not forget the company when an event of its roles came.
#[tokio::test]
async fn a_role_is_defined_granted_revoked_and_removed_while_people_have_it() {
    let (app, _, owner) = TestApp::start().await;
    let analyst = json!({"name": "analyst", "title": "Analyst", "level": 30, "permissions": ["reports.read"]});
    let defined = owner.post(ROLES, &analyst).await.expect(200);
    assert_eq!(defined["role"]["permissions"], json!(["reports:read"]), "one form is stored");
    let role = defined["role"].clone();
    let person = app.person("analyst").await;
    within_a_second(&person, "/api/v1/reports", 200).await;
    person.get("/api/v1/runs").await.problem(403, "access.forbidden");

    let permissions = format!("{}/permissions", at(&role));
    let granted = owner.post(&permissions, &json!({"permission": "runs:read"})).await.expect(200);
    assert_eq!(granted["role"]["permissions"], json!(["reports:read", "runs:read"]));
    within_a_second(&person, "/api/v1/runs", 200).await;

    let revoked = send(&owner, Method::DELETE, &format!("{permissions}?permission=runs.read"), &Value::Null).await;
    assert_eq!(revoked.expect(200)["role"]["permissions"], json!(["reports:read"]));
    within_a_second(&person, "/api/v1/runs", 403).await;

    send(&owner, Method::DELETE, &at(&role), &Value::Null).await.expect(200);
    within_a_second(&person, "/api/v1/reports", 403).await;
    owner.get(&at(&role)).await.problem(404, "role.not_found");
}

#[tokio::test]
async fn every_bad_field_of_a_role_is_named_at_once() {
    let (_app, _, owner) = TestApp::start().await;
    let bad = json!({"name": "Not A Role", "level": 101, "permissions": ["reports:read", "x"], "may_manage": ["?"]});
    let fields = owner.post(ROLES, &bad).await.bad_fields();
    assert_eq!(fields, ["name", "title", "level", "permissions[1]", "may_manage[0]"]);
    let unknown = json!({"name": "a", "title": "A", "level": 1, "permissions": ["boats:sail"]});
    assert_eq!(owner.post(ROLES, &unknown).await.bad_fields(), ["permissions"]);
}

#[tokio::test]
async fn a_change_is_decided_on_the_version_that_was_seen() {
    let (_app, _, owner) = TestApp::start().await;
    let user = role(&owner, "user").await;
    let seen = owner.get(&at(&user)).await.header("etag").unwrap().to_owned();
    let change = |title: &str| json!({"title": title, "level": 12, "may_manage": []});
    let put = async |title: &str| {
        let request = owner.request(Method::PUT, &at(&user)).header("if-match", &seen).json(&change(title));
        owner.send(request).await
    };
    assert_eq!(put("Reader").await.expect(200)["role"]["title"], "Reader");
    put("Visitor").await.problem(409, "conflict.changed");
    let key = "grant-once";
    let grant = async || {
        let request = owner.request(Method::POST, &format!("{}/permissions", at(&user)));
        owner.send(request.header("idempotency-key", key).json(&json!({"permission": "settings:write"}))).await
    };
    grant().await.expect(200);
    assert_eq!(grant().await.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn nobody_raises_themselves_or_reaches_above() {
    let (app, _, owner) = TestApp::build().preset(Preset::Crm).start().await;
    let admin = app.person("admin").await;
    let raise = async |name: &str| {
        let path = format!("{}/permissions", at(&role(&owner, name).await));
        admin.post(&path, &json!({"permission": "runs:start"})).await
    };
    raise("admin").await.problem(403, "role.own");
    raise("owner").await.problem(409, "role.owner_fixed");
    raise("manager").await.expect(200);
    let twin = json!({"name": "manager2", "title": "Twin", "level": 50});
    admin.post(ROLES, &twin).await.problem(403, "role.not_managed");
    let manager = app.person("manager").await;
    manager.get(ROLES).await.problem(403, "access.forbidden");
    let fixed = send(&owner, Method::DELETE, &at(&role(&owner, "owner").await), &Value::Null).await;
    fixed.problem(409, "role.owner_fixed");
}

#[tokio::test]
async fn a_company_extends_its_catalogue_and_asks_about_it() {
    let (app, _, owner) = TestApp::start().await;
    let add = async |list: &str, body: Value| owner.post(&format!("/api/v1/admin/matrix/{list}"), &body).await;
    let boats = json!({"service": "boats", "action": "sail", "title": "Go to sea"});
    add("permissions", boats.clone()).await.problem(409, "catalogue.missing");
    let service = add("services", json!({"name": "boats", "title": "Boats"})).await.expect(200);
    add("actions", json!({"name": "sail", "title": "Sail"})).await.expect(200);
    let permission = add("permissions", boats).await.expect(200);
    assert_eq!(permission["entry"]["name"], "boats:sail");
    let user = role(&owner, "user").await;
    let grant = json!({"permission": "boats:sail:own"});
    owner.post(&format!("{}/permissions", at(&user)), &grant).await.expect(200);
    let person = app.user().await;
    let verdict = asked(&person, "boats", "sail", Some("own")).await;
    assert_eq!(verdict, json!({"allowed": true, "reach": ["own"], "role": "user"}));
    assert_eq!(asked(&person, "boats", "sail", Some("all")).await["allowed"], false);
    assert_eq!(asked(&person, "boats", "sink", None).await["allowed"], false);

    let path = format!("/api/v1/admin/matrix/services/{}", service["id"].as_str().unwrap());
    let renamed = send(&owner, Method::PUT, &path, &json!({"title": "Ships"})).await.expect(200);
    assert_eq!(renamed["entry"]["title"], "Ships");
    send(&owner, Method::DELETE, &path, &Value::Null).await.problem(409, "catalogue.in_use");
    let built_in = owner.get("/api/v1/admin/matrix/services?limit=100").await.expect(200);
    let runs = built_in["items"].as_array().unwrap().iter().find(|entry| entry["name"] == "runs").unwrap();
    let path = format!("/api/v1/admin/matrix/services/{}", runs["id"].as_str().unwrap());
    send(&owner, Method::DELETE, &path, &Value::Null).await.problem(409, "catalogue.built_in");
}

#[tokio::test]
async fn lists_of_the_catalogue_come_in_pages() {
    let (_app, _, owner) = TestApp::build().preset(Preset::Property).start().await;
    let mut names = Vec::new();
    let mut path = "/api/v1/admin/matrix/permissions?limit=7".to_owned();
    loop {
        let page = owner.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/admin/matrix/permissions?limit=7&cursor={next}");
    }
    let whole = owner.get("/api/v1/admin/matrix/permissions?limit=100").await.expect(200);
    assert_eq!(names.len(), whole["items"].as_array().unwrap().len());
    names.sort();
    names.dedup();
    assert!(names.contains(&"requests:assign".to_owned()) && names.contains(&"runs:read".to_owned()), "{names:?}");
    assert_eq!(names.len(), whole["items"].as_array().unwrap().len(), "none twice");
}

#[tokio::test]
async fn another_company_s_roles_and_people_are_not_there() {
    let (app, _, owner) = TestApp::start().await;
    let user = role(&owner, "user").await;
    let person = app.user().await;
    let person_id = person.get("/api/v1/users/me").await.expect(200)["id"].clone();
    let about = json!({"checks": [{"user_id": person_id, "resource": "reports", "action": "read"}]});
    assert_eq!(owner.post(CHECK, &about).await.expect(200)["checks"][0]["role"], "user");
    person
        .post(CHECK, &json!({"checks": [{"user_id": owner_id(&owner).await, "resource": "x", "action": "y"}]}))
        .await
        .problem(403, "access.forbidden");
    let stranger = app.other_tenant().await;
    stranger.get(&at(&user)).await.problem(404, "role.not_found");
    let grant = json!({"permission": "runs:start"});
    stranger.post(&format!("{}/permissions", at(&user)), &grant).await.problem(404, "role.not_found");
    send(&stranger, Method::DELETE, &at(&user), &Value::Null).await.problem(404, "role.not_found");
    stranger.post(CHECK, &about).await.problem(404, "user.not_found");
}

async fn owner_id(owner: &Actor) -> Value {
    owner.get("/api/v1/users/me").await.expect(200)["id"].clone()
}

/// Seen to fail with a headline that was shown as a detail.
#[tokio::test]
async fn a_report_shows_what_the_reach_of_the_role_shows() {
    let (app, _, owner) = TestApp::build().preset(Preset::Crm).start().await;
    owner.run_report(app.days()).await;
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let report = &reports["items"][0];
    let path = format!("/api/v1/reports/{}", report["id"].as_str().unwrap());
    let named = |report: &Value| {
        let agents = report["metrics"]["agents"].as_array().unwrap().clone();
        agents.iter().any(|agent| agent["name"] != "")
    };
    assert!(named(report) && report["headline"].is_string());
    let sales = app.person("sales_manager").await;
    let shown = sales.get(&path).await.expect(200);
    assert_eq!(
        (&shown["body"], &shown["narrative"], &shown["report"]["headline"]),
        (&json!(null), &json!(null), &json!(null))
    );
    assert!(!named(&shown["report"]), "{shown}");
    assert_eq!(shown["report"]["metrics"]["dialogues"], report["metrics"]["dialogues"]);
    app.person("accountant").await.get(&path).await.problem(403, "access.forbidden");
}

/// B6: the manager sees revenue, the accountant costs and profit, and neither what the other sees; names are shown to whom
/// they may be.
#[tokio::test]
async fn sums_are_shown_to_those_whose_role_says_so() {
    let (app, _, owner) = TestApp::build().preset(Preset::Crm).start().await;
    let profit = "/api/v1/finance/profit";
    assert_eq!(owner.get(profit).await.expect(200), json!({"profit_minor": 0, "unknown": []}));
    owner.run_report(app.days()).await;
    let (overview, pipeline) = ("/api/v1/analytics/overview", "/api/v1/infrastructure/pipeline");
    let (revenue, costs) = ("/api/v1/finance/revenue", "/api/v1/finance/costs");
    let seen = owner.get(overview).await.expect(200);
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let metrics = &reports["items"][0]["metrics"];
    assert_eq!((&seen["reports"], &seen["dialogues"]), (&json!(1), &metrics["dialogues"]));
    assert_eq!(seen["runs"], json!({"completed": 1}));
    assert!(seen["agents"].as_array().unwrap().iter().any(|agent| agent["name"] != ""));
    assert_eq!(owner.get(revenue).await.expect(200)["deals_won"], metrics["outcomes"]["won"]);
    assert!(owner.get(costs).await.expect(200)["calls"].as_u64().unwrap() > 0);
    let left = owner.get(profit).await.expect(200);
    let sides: Vec<&Value> = left["unknown"].as_array().unwrap().iter().map(|unknown| &unknown["side"]).collect();
    assert_eq!((&metrics["outcomes"]["won"], sides), (&json!(0), vec![&json!("costs")]));
    assert_eq!(left["profit_minor"], Value::Null, "the AI was called");
    assert_eq!(owner.get(pipeline).await.expect(200)["steps"].as_array().unwrap().len(), 8);
    for (role, allowed) in [
        ("user", [200, 403, 403, 403, 403]),
        ("manager", [200, 200, 403, 403, 403]),
        ("accountant", [403, 403, 200, 200, 403]),
        ("sales_manager", [403, 403, 403, 403, 403]),
    ] {
        let person = app.person(role).await;
        for (path, status) in [overview, revenue, costs, profit, pipeline].into_iter().zip(allowed) {
            assert_eq!(person.get(path).await.status, status, "{role} {path}");
        }
    }
    let numbers = app.user().await.get(overview).await.expect(200);
    assert_eq!((&numbers["agents"], &numbers["dialogues"]), (&json!([]), &seen["dialogues"]));
}
