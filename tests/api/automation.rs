//! The last step of the wizard: what the company calls a day, and when its runs start.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

const AUTOMATION: &str = "/api/v1/automation";
const RUNS: &str = "/api/v1/runs";
const EMAIL: &str = "olga@forest.example";
const PASSWORD: &str = "a bicycle made of glass";

fn days_of(time_zone: &str) -> Value {
    json!({"time_zone": time_zone, "day_starts_at": "03:00", "schedule": "manual"})
}

async fn put_under(actor: &Actor, key: &str, form: &Value) -> Answer {
    actor.send(actor.request(Method::PUT, AUTOMATION).header("Idempotency-Key", key).json(form)).await
}

async fn time_zone(actor: &Actor) -> Value {
    actor.get(AUTOMATION).await.expect(200)["time_zone"].clone()
}

/// The step as the wizard shows it.
async fn step(actor: &Actor) -> Value {
    let wizard = actor.get("/api/v1/integrations").await.expect(200);
    wizard["steps"].as_array().unwrap().iter().find(|step| step["step"] == "automation").unwrap().clone()
}

#[tokio::test]
async fn a_company_that_registered_itself_defines_its_automation_and_gets_further() {
    let (app, anonymous, _) = TestApp::build().self_service().start().await;
    let company = json!({
        "company": "Northern Forest", "slug": "northern-forest", "name": "Olga", "email": EMAIL, "password": PASSWORD,
    });
    let made = anonymous.post("/api/v1/public/users/register", &company).await.expect(201);
    let olga = anonymous.sign_in(EMAIL, PASSWORD).await;
    let run = json!({"from": app.days().0, "to": app.days().1});
    olga.post(RUNS, &run).await.problem(409, "run.automation_missing");
    let nothing = olga.get(AUTOMATION).await.expect(200);
    assert_eq!((&nothing["defined"], &nothing["time_zone"]), (&json!(false), &Value::Null));
    assert!(nothing["steps"][0]["ru"].as_str().unwrap().contains("Asia/Tashkent"), "{nothing:#}");
    let absent = step(&olga).await;
    assert_eq!(absent["status"], "absent");
    assert!(absent["reason"].as_str().unwrap().contains("PUT /api/v1/automation"), "{absent:#}");

    let answer = olga.put(AUTOMATION, &days_of("Asia/Tashkent")).await;
    let defined = answer.expect(200);
    assert!(answer.header("synkro-position").is_some());
    for (field, value) in [
        ("defined", json!(true)),
        ("time_zone", json!("Asia/Tashkent")),
        ("day_starts_at", json!("03:00:00")),
        ("schedule", json!("manual")),
    ] {
        assert_eq!(defined[field], value, "{field}");
    }
    assert_eq!(olga.get(AUTOMATION).await.expect(200), defined);
    assert_eq!(step(&olga).await["status"], "green");
    let event = app.event_shown(&olga, "event_type=AutomationDefined").await;
    assert_eq!((&event["actor"]["kind"], &event["actor"]["id"]), (&json!("user"), &made["user_id"]));
    assert_eq!(event["right"], "settings:write");
    olga.post(RUNS, &run).await.problem(409, "run.integrations_missing");
}

#[tokio::test]
async fn every_bad_field_is_named_at_once_and_nothing_changes() {
    let (_app, _, owner) = TestApp::start().await;
    let before = owner.get(AUTOMATION).await.expect(200);
    let fields = ["time_zone", "day_starts_at", "schedule"];
    let bad = json!({"time_zone": "Tashkent", "day_starts_at": "24:00", "schedule": "hourly"});
    let refused = owner.put(AUTOMATION, &bad).await;
    assert_eq!(refused.bad_fields(), fields);
    let message = refused.json()["fields"][0]["message"].clone();
    assert!(message.as_str().unwrap().contains("IANA name of a time zone, such as Asia/Tashkent"), "{message}");
    let shapeless = json!({"time_zone": 5, "day_starts_at": 3, "schedule": {"every": "manual"}});
    assert_eq!(owner.put(AUTOMATION, &shapeless).await.bad_fields(), fields);
    assert_eq!(owner.put(AUTOMATION, &json!({})).await.bad_fields(), fields);
    let mut one = days_of("Asia/Tashkent");
    one["day_starts_at"] = json!("3 o'clock");
    assert_eq!(owner.put(AUTOMATION, &one).await.bad_fields(), ["day_starts_at"]);
    assert_eq!(owner.get(AUTOMATION).await.expect(200), before);
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_a_repeat_undoes_nothing() {
    let (_app, _, owner) = TestApp::start().await;
    let first = put_under(&owner, "zone-1", &days_of("Asia/Tashkent")).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
    let again = owner.put(AUTOMATION, &days_of("Asia/Tashkent")).await;
    assert_eq!((again.expect(200), again.header("synkro-position")), (first.json(), None));

    let moved = owner.put(AUTOMATION, &days_of("Europe/Berlin")).await;
    assert_eq!(moved.expect(200)["time_zone"], "Europe/Berlin");
    let repeat = put_under(&owner, "zone-1", &days_of("Asia/Tashkent")).await;
    assert_eq!(repeat.expect(200)["time_zone"], "Europe/Berlin", "a repeat shows what is in force now");
    assert_eq!(repeat.header("idempotent-replayed"), Some("true"));
    assert_eq!(repeat.header("synkro-position"), first.header("synkro-position"));
    assert_eq!(time_zone(&owner).await, "Europe/Berlin");
    put_under(&owner, "zone-1", &days_of("UTC")).await.problem(409, "idempotency.key_reused");
}

#[tokio::test]
async fn automation_is_closed_to_whoever_has_not_the_right_and_each_company_has_its_own() {
    let (app, anonymous, owner) = TestApp::start().await;
    assert_eq!(owner.put(AUTOMATION, &days_of("Asia/Tashkent")).await.status, 200);
    let user = app.user().await;
    user.get(AUTOMATION).await.problem(403, "access.forbidden");
    for form in [days_of("UTC"), json!({})] {
        user.put(AUTOMATION, &form).await.problem(403, "access.forbidden");
        assert_eq!(anonymous.put(AUTOMATION, &form).await.status, 401);
    }
    assert_eq!(anonymous.get(AUTOMATION).await.status, 401);

    let stranger = app.other_tenant().await;
    assert_eq!(time_zone(&stranger).await, "UTC", "what it was founded with");
    assert_eq!(stranger.put(AUTOMATION, &days_of("Europe/Berlin")).await.status, 200);
    assert_eq!((time_zone(&stranger).await, time_zone(&owner).await), (json!("Europe/Berlin"), json!("Asia/Tashkent")));
}
