//! Companies register themselves, where they may.

use application::RequestContext;
use application::ports::commands::Commands;
use domain::ids::{TenantId, UserId};
use domain::tenant::{ProvisionTenant, Tenant, TenantCommand};
use domain::user::{User, UserCommand};
use domain::values::Language;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const REGISTER: &str = "/api/v1/public/users/register";
const PASSWORD: &str = "a bicycle made of glass";

fn company(slug: &str, email: &str) -> Value {
    json!({
        "company": "Northern Forest", "slug": slug, "language": "ru", "preset": "salon",
        "name": "Olga", "email": email, "password": PASSWORD,
    })
}

async fn role_names(owner: &Actor) -> Vec<String> {
    let roles = owner.get("/api/v1/admin/matrix/roles?limit=100").await.expect(200);
    let names = roles["items"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned());
    names.collect()
}

#[tokio::test]
async fn without_self_service_nobody_registers() {
    let (app, anonymous, _) = TestApp::start().await;
    let problem = anonymous.post(REGISTER, &company("northern-forest", "olga@forest.example")).await;
    let problem = problem.problem(403, "registration.closed");
    assert!(problem["detail"].as_str().unwrap().contains("ask those who run this installation"), "{problem:#}");
    assert_eq!(
        anonymous.post(REGISTER, &json!({})).await.bad_fields(),
        ["company", "slug", "name", "email", "password"]
    );
    app.assert_log_keeps_secrets().await;
}

#[tokio::test]
async fn a_company_comes_with_its_owner_and_its_roles() {
    let (app, anonymous, _) = TestApp::build().self_service().start().await;
    let asked = company("northern-forest", "olga@forest.example");
    let made = anonymous.post(REGISTER, &asked).await.expect(201);
    let olga = anonymous.sign_in("olga@forest.example", PASSWORD).await;
    let me = olga.get("/api/v1/users/me").await.expect(200);
    assert_eq!((&me["tenant_id"], &me["id"], &me["role"]), (&made["tenant_id"], &made["user_id"], &json!("owner")));
    assert!(role_names(&olga).await.contains(&"director".to_owned()));
    olga.get("/api/v1/reports").await.expect(200);
    anonymous.post(REGISTER, &asked).await.problem(409, "value.taken");
    let other = company("northern-forest", "other@forest.example");
    anonymous.post(REGISTER, &other).await.problem(409, "value.taken");
    let own_name = json!({"company": "Northern Forest", "slug": "forest-2", "name": "Ivan", "email": "i@forest.example",
        "password": "Northern-Forest-1"});
    assert_eq!(anonymous.post(REGISTER, &own_name).await.bad_fields(), ["password"]);
    app.secrets.add(PASSWORD);
    app.assert_log_keeps_secrets().await;
}

/// Seen to fail with ids that are drawn anew at each try: the short name was taken by the half that was there.
#[tokio::test]
async fn registering_goes_on_where_it_was_cut_off() {
    let (app, anonymous, _) = TestApp::build().self_service().start().await;
    let (slug, email) = ("northern-forest".parse().unwrap(), "olga@forest.example".parse().unwrap());
    let tenant_id = TenantId::of_registration(&slug, &email);
    let context = RequestContext::for_system("registration", tenant_id, tenant_id.uuid(), tenant_id.uuid());
    let provision = TenantCommand::Provision(ProvisionTenant {
        tenant_id,
        name: "Northern Forest".parse().unwrap(),
        slug,
        language: Language::Russian,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    });
    app.database().commands::<Tenant>().execute(&context, tenant_id.uuid(), provision).await.unwrap();
    let made = anonymous.post(REGISTER, &company("northern-forest", "olga@forest.example")).await.expect(201);
    assert_eq!(made["tenant_id"], json!(tenant_id.uuid()));
    let olga = anonymous.sign_in("olga@forest.example", PASSWORD).await;
    assert!(role_names(&olga).await.contains(&"director".to_owned()));
}

/// Seen to fail: with a password that is gone taken for one that was never set, roles of the other preset were recorded.
#[tokio::test]
async fn whoever_was_removed_registers_nothing_into_the_company() {
    let (app, anonymous, _) = TestApp::build().self_service().start().await;
    let asked = company("northern-forest", "olga@forest.example");
    let made = anonymous.post(REGISTER, &asked).await.expect(201);
    let user_id: UserId = made["user_id"].as_str().unwrap().parse().unwrap();
    let tenant_id: TenantId = made["tenant_id"].as_str().unwrap().parse().unwrap();
    let context = RequestContext::for_system("tests", tenant_id, tenant_id.uuid(), tenant_id.uuid());
    let at = "2026-06-01T00:00:00Z".parse().unwrap();
    for command in [UserCommand::Deactivate { at }, UserCommand::Remove { at }] {
        app.database().commands::<User>().execute(&context, user_id.uuid(), command).await.unwrap();
    }
    let gone = "delete from credentials where user_id = $1";
    sqlx::query(gone).bind(user_id.uuid()).execute(app.database().pool()).await.unwrap();
    let before = app.events().await.len();
    let mut again = asked;
    again["preset"] = json!("crm");
    anonymous.post(REGISTER, &again).await.problem(409, "value.taken");
    assert_eq!(app.events().await.len(), before);
}

/// Seen to fail: with the address looked up in the table of users, signing in was refused.
#[tokio::test]
async fn whoever_has_registered_signs_in_however_far_behind_the_read_models_are() {
    let (app, anonymous, _) = TestApp::build().self_service().start().await;
    // Nobody feeds them: somebody else holds their leases.
    let held =
        "update projection_checkpoints set holder = gen_random_uuid(), held_until = clock_timestamp() + interval '1 h'";
    sqlx::query(held).execute(app.database().pool()).await.unwrap();
    let new = company("northern-forest", "olga@forest.example");
    let made = anonymous.post(REGISTER, &new).await.expect(201);
    let users: i64 = sqlx::query_scalar("select count(*) from users where email = 'olga@forest.example'")
        .fetch_one(app.database().pool())
        .await
        .unwrap();
    assert_eq!(users, 0, "the table of users does not show her");
    let login = json!({"email": "Olga@Forest.example", "password": PASSWORD});
    let signed_in = anonymous.post("/api/v1/public/users/login", &login).await.expect(200);
    assert_eq!(signed_in["user"]["id"], made["user_id"]);
    assert_eq!(signed_in["user"]["role"], json!("owner"));
    let again = company("southern-forest", "olga@forest.example");
    anonymous.post(REGISTER, &again).await.problem(409, "value.taken");
}
