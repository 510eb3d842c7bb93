//! The settings wizard: what is saved, what is shown of it, and whether it works.

use std::time::Duration;

use domain::integration::IntegrationKind;
use infrastructure::connectors::CircuitOptions;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, TestApp};

const ALL: &str = "/api/v1/integrations";
const TELEGRAM: &str = "/api/v1/integrations/telegram";

/// The settings of the company's integration, as a form holds them.
fn settings(app: &TestApp, kind: IntegrationKind) -> Value {
    let mut settings = serde_json::to_value(app.settings(kind)).unwrap();
    for stored in ["kind", "provider"] {
        settings.as_object_mut().unwrap().remove(stored);
    }
    settings
}

fn step<'a>(wizard: &'a Value, name: &str) -> &'a Value {
    wizard["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap()
}

async fn put_on(actor: &Actor, path: &str, version: &str, body: &Value) -> testkit::Answer {
    actor.send(actor.request(Method::PUT, path).header("If-Match", version).json(body)).await
}

#[tokio::test]
async fn the_wizard_goes_from_yellow_to_green_and_red_and_says_why() {
    let (app, _, owner) = TestApp::start().await;
    let wizard = owner.get(ALL).await.expect(200);
    let names: Vec<_> = wizard["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["supabase", "amocrm", "radist", "ai", "telegram", "automation"]);
    assert_eq!((&wizard["done"], &wizard["total"], &wizard["next"]), (&json!(1), &json!(6), &json!("supabase")));
    assert_eq!(step(&wizard, "radist")["status"], "yellow");
    assert!(step(&wizard, "radist")["reason"].as_str().unwrap().contains("not been checked"), "{wizard:#}");

    for kind in IntegrationKind::ALL {
        let checked = owner.post(&format!("{ALL}/{}/check", kind.name()), &Value::Null).await.expect(200);
        assert_eq!(checked["check"]["works"], true, "{checked:#}");
        assert_eq!(checked["integration"]["status"], "green", "{checked:#}");
    }
    let wizard = owner.get(ALL).await.expect(200);
    assert_eq!((&wizard["done"], &wizard["next"]), (&json!(6), &Value::Null));
    assert_eq!(step(&wizard, "telegram")["version"], 1);
    assert!(step(&wizard, "telegram")["checked_at"].is_string(), "{wizard:#}");

    let refusal = FaultKind::Status { status: 401, body: "{}".into(), headers: Vec::new() };
    app.fault(Service::Radist, None, refusal, Some(1));
    let checked = owner.post(&format!("{ALL}/radist/check"), &Value::Null).await.expect(200);
    assert_eq!(checked["check"]["works"], false);
    let wizard = owner.get(ALL).await.expect(200);
    let radist = step(&wizard, "radist");
    assert_eq!(radist["status"], "red");
    assert!(radist["reason"].as_str().unwrap().contains("Settings → Radist"), "{radist:#}");
    assert_eq!(wizard["next"], "radist");
}

#[tokio::test]
async fn tables_of_an_older_version_are_yellow_and_the_sql_is_at_hand() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/supabase/schema");
    let schema = owner.get(&path).await.expect(200);
    assert_eq!((&schema["up_to_date"], &schema["found"]), (&json!(true), &schema["newest"]));
    assert!(schema["sql"].as_str().unwrap().contains("create table if not exists public.synkro_deals"));

    let older = FaultKind::Status { status: 200, body: r#"[{"version":1}]"#.into(), headers: Vec::new() };
    app.fault(Service::Supabase, Some("synkro_schema"), older, Some(2));
    let schema = owner.get(&path).await.expect(200);
    assert_eq!((&schema["up_to_date"], &schema["found"]), (&json!(false), &json!(1)));
    let sql = schema["sql"].as_str().unwrap();
    assert!(sql.contains("create index") && !sql.contains("create table"), "only what came since: {sql}");
    let checked = owner.post(&format!("{ALL}/supabase/check"), &Value::Null).await.expect(200);
    assert_eq!((&checked["check"]["works"], &checked["integration"]["status"]), (&json!(true), &json!("yellow")));
    assert!(checked["check"]["reason"].as_str().unwrap().contains("SQL"), "{checked:#}");
}

#[tokio::test]
async fn what_is_saved_is_checked_at_once() {
    let (app, _, owner) = TestApp::start().await;
    let good = settings(&app, IntegrationKind::Telegram);
    let answer = owner.put(TELEGRAM, &json!({"settings": good})).await;
    let saved = answer.expect(200);
    assert!(answer.header("synkro-position").is_some());
    assert_eq!((&saved["check"]["works"], &saved["integration"]["status"]), (&json!(true), &json!("green")));
    assert_eq!(saved["integration"]["version"], 1, "saving the same again changes nothing");

    let wrong = format!("{}:{}", "123456", "A".repeat(35));
    app.secrets.add(&wrong);
    let saved = owner.put(TELEGRAM, &json!({"settings": good, "secrets": {"bot_token": wrong}})).await.expect(200);
    assert_eq!((&saved["check"]["works"], &saved["integration"]["status"]), (&json!(false), &json!("red")));
    assert_eq!(saved["integration"]["version"], 2, "what does not work is saved all the same");
}

/// A token that is good says nothing of the chat.
#[tokio::test]
async fn a_chat_that_the_bot_is_not_in_is_red_and_the_advice_says_what_to_do() {
    let (app, _, owner) = TestApp::start().await;
    let mut form = json!({"settings": settings(&app, IntegrationKind::Telegram)});
    form["settings"]["chat_id"] = json!("-100999");
    let saved = owner.put(TELEGRAM, &form).await.expect(200);
    assert_eq!((&saved["check"]["works"], &saved["integration"]["status"]), (&json!(false), &json!("red")));
    let reason = saved["check"]["reason"].as_str().unwrap();
    assert!(reason.contains("does not know the chat") && reason.contains("member of the group"), "{reason}");
    assert!(reason.contains("Settings → Telegram"), "{reason}");
    assert_eq!(saved["integration"]["reason"], reason);
}

#[tokio::test]
async fn a_trial_that_fails_by_the_services_own_fault_is_red_and_one_that_works_is_green() {
    let (app, _, owner) = TestApp::start().await;
    let refusal = || FaultKind::Status { status: 401, body: "{}".into(), headers: Vec::new() };
    // Radist's trial looks for deals first, so amoCRM's refusal is not Radist's.
    for (kind, status) in [("amocrm", "red"), ("radist", "yellow")] {
        let path = format!("{ALL}/{kind}");
        let test = format!("{path}/test");
        app.fault(Service::Amocrm, None, refusal(), Some(1));
        let tried = owner.post(&test, &json!({})).await.expect(200);
        let shown = owner.get(&path).await.expect(200);
        assert_eq!((&tried["works"], &shown["status"]), (&json!(false), &json!(status)), "{shown:#}");
        assert_eq!(shown["reason"] == tried["reason"], status == "red", "{shown:#}");
        let tried = owner.post(&test, &json!({})).await.expect(200);
        let shown = owner.get(&path).await.expect(200);
        assert_eq!((&tried["works"], &shown["status"]), (&json!(true), &json!("green")), "{shown:#}");
        assert!(shown["reason"].is_null() && shown["checked_at"].is_string(), "{shown:#}");
    }
}

/// The pause that a service asked for is over when it says so, and until then nothing new is known of it.
#[tokio::test]
async fn who_finds_no_turn_is_told_when_to_come_back_and_nothing_is_recorded() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/radist");
    let check = async || owner.post(&format!("{path}/check"), &Value::Null).await;
    let headers = vec![("retry-after".into(), "25".into())];
    app.fault(Service::Radist, None, FaultKind::Status { status: 429, body: "{}".into(), headers }, Some(1));
    let refused = check().await.expect(200);
    let reason = refused["integration"]["reason"].as_str().unwrap();
    assert!(reason.contains("Try again in 25 s"), "{refused:#}");
    let shown = owner.get(&path).await.expect(200);
    let busy = check().await;
    assert!(busy.header("retry-after").is_some(), "{busy:?}");
    busy.problem(503, "integration.busy");
    assert_eq!(owner.get(&path).await.expect(200), shown);
}

#[tokio::test]
async fn a_service_that_is_left_alone_is_yellow_until_it_is_called_again() {
    let pause = Duration::from_mins(5);
    let circuit = CircuitOptions { outages: 5, first_pause: pause, longest_pause: pause };
    let (app, _, owner) = TestApp::build().circuit(circuit).start().await;
    let path = format!("{ALL}/ai");
    let checked = owner.post(&format!("{path}/check"), &Value::Null).await.expect(200);
    let integration = &checked["integration"];
    assert_eq!((&integration["status"], &integration["left_alone_until"]), (&json!("green"), &Value::Null));
    let outage = FaultKind::Status { status: 503, body: "{}".into(), headers: Vec::new() };
    app.fault(Service::Gemini, None, outage, None);
    for _ in 0..5 {
        assert_ne!(owner.get(&format!("{path}/models")).await.status, 200);
    }
    let wizard = owner.get(ALL).await.expect(200);
    for shown in [step(&wizard, "ai"), &owner.get(&path).await.expect(200)] {
        assert_eq!(shown["status"], "yellow", "{shown:#}");
        assert!(shown["left_alone_until"].is_string(), "{shown:#}");
        assert!(shown["reason"].as_str().unwrap().contains("left alone until"), "{shown:#}");
    }
    assert_eq!(step(&wizard, "radist")["left_alone_until"], Value::Null, "it is the account's own");
}

/// Seen to fail: with the asterisks taken for a secret.
#[tokio::test]
async fn three_asterisks_keep_a_secret_that_nobody_is_shown() {
    let (app, _, owner) = TestApp::start().await;
    let found = owner.get(TELEGRAM).await.expect(200);
    assert_eq!(found["secrets"], json!({"bot_token": "***"}));
    let mut form = json!({"settings": found["settings"], "secrets": found["secrets"]});
    let known = found["settings"]["chat_id"].clone();
    for (chat, version, works) in [(json!("@synkro_reports"), 2, false), (known, 3, true)] {
        form["settings"]["chat_id"] = chat;
        let saved = owner.put(TELEGRAM, &form).await.expect(200);
        assert_eq!((&saved["integration"]["version"], &saved["check"]["works"]), (&json!(version), &json!(works)));
        assert_eq!(saved["integration"]["secrets"], json!({"bot_token": "***"}));
    }
    let event = app.event_shown(&owner, "event_type=IntegrationConfigured").await;
    assert_eq!(event["fields"]["changed"], json!(["settings.chat_id"]));
    assert!(event["summary"].as_str().unwrap().contains("settings.chat_id"), "{event:#}");
}

#[tokio::test]
async fn every_bad_field_is_named_at_once_and_nothing_is_saved() {
    let (app, _, owner) = TestApp::start().await;
    let calls = app.simulators.calls().len();
    let bad = json!({
        "settings": {"base_url": "nowhere", "chat_id": "the group", "colour": "red"},
        "secrets": {"bot_token": 7, "api_key": "x"},
    });
    let fields = ["settings.base_url", "settings.colour", "settings.chat_id", "secrets.api_key", "secrets.bot_token"];
    assert_eq!(owner.put(TELEGRAM, &bad).await.bad_fields(), fields);
    let radist = json!({"settings": {"company_id": 0, "requests_per_second": 5000}});
    // Radist's own address is another one than the company's, which the stored key was given for.
    let fields = ["settings.company_id", "settings.requests_per_second", "secrets.api_key"];
    assert_eq!(owner.put(&format!("{ALL}/radist"), &radist).await.bad_fields(), fields);
    let shapeless = json!({"settings": "all", "secrets": []});
    assert_eq!(owner.put(TELEGRAM, &shapeless).await.bad_fields(), ["settings", "secrets"]);
    // A slip in a name would be taken for what is left as it is.
    let slip = owner.put(TELEGRAM, &json!({"secret": {"bot_token": "x"}})).await.problem(400, "body.malformed");
    assert!(slip["detail"].as_str().unwrap().contains("secret"), "{slip:#}");
    let stranger = json!({"provider": "delphi"});
    assert_eq!(owner.put(&format!("{ALL}/ai"), &stranger).await.bad_fields(), ["provider"]);
    assert_eq!(owner.get(TELEGRAM).await.expect(200)["version"], 1);
    assert_eq!(app.simulators.calls().len(), calls, "a form that is refused calls nobody");
    owner.get(&format!("{ALL}/fax")).await.problem(404, "integration.unknown_kind");
    owner.put(&format!("{ALL}/fax"), &json!({})).await.problem(404, "integration.unknown_kind");
}

#[tokio::test]
async fn a_change_is_made_to_the_version_that_was_looked_at() {
    let (app, _, owner) = TestApp::start().await;
    let looked = owner.get(TELEGRAM).await;
    let version = looked.header("etag").unwrap().to_owned();
    assert_eq!(version, "\"1\"");
    let mut form = json!({"settings": settings(&app, IntegrationKind::Telegram)});
    form["settings"]["chat_id"] = json!("@first");
    assert_eq!(put_on(&owner, TELEGRAM, &version, &form).await.status, 200);
    // A check is no change: whoever looked before it may still save.
    assert_eq!(owner.post(&format!("{TELEGRAM}/check"), &Value::Null).await.status, 200);
    form["settings"]["chat_id"] = json!("@second");
    put_on(&owner, TELEGRAM, &version, &form).await.problem(409, "conflict.changed");
    assert_eq!(owner.get(TELEGRAM).await.expect(200)["settings"]["chat_id"], "@first");
    assert_eq!(put_on(&owner, TELEGRAM, "\"2\"", &form).await.status, 200);
}

#[tokio::test]
async fn a_repeated_check_is_answered_with_the_first_one() {
    let (app, _, owner) = TestApp::start().await;
    let check = || owner.request(Method::POST, &format!("{TELEGRAM}/check")).header("Idempotency-Key", "check-1");
    let first = owner.send(check()).await;
    let (asked, calls) = (first.expect(200), app.simulators.calls().len());
    let second = owner.send(check()).await;
    assert_eq!((second.expect(200)["check"].clone(), app.simulators.calls().len()), (asked["check"].clone(), calls));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.header("synkro-position"), first.header("synkro-position"));
}

#[tokio::test]
async fn the_catalogue_describes_every_provider_as_forms_need_it() {
    let (_app, _, owner) = TestApp::start().await;
    let catalogue = owner.get(&format!("{ALL}/catalogue")).await.expect(200);
    let items = catalogue["items"].as_array().unwrap();
    let of = |kind: &str| items.iter().filter(|item| item["kind"] == kind).map(|item| item["name"].clone()).collect();
    let ai: Vec<Value> = of("ai");
    assert_eq!(ai, [json!("gemini"), json!("openai_compatible"), json!("ollama")]);
    let radist = items.iter().find(|item| item["name"] == "radist").unwrap();
    let field =
        radist["fields"].as_array().unwrap().iter().find(|field| field["name"] == "requests_per_second").unwrap();
    assert_eq!((&field["type"], &field["minimum"], &field["maximum"]), (&json!("whole"), &json!(1), &json!(1000)));
    assert_eq!((&field["required"], &field["default"]), (&json!(false), &json!(5)));
    assert_eq!(radist["secrets"][0]["name"], "api_key");
    assert_eq!((&radist["trials"], &radist["writes"]), (&json!(["dialogues"]), &json!(true)));
    for item in items {
        for step in item["steps"].as_array().unwrap() {
            assert!(!step["en"].as_str().unwrap().is_empty() && !step["ru"].as_str().unwrap().is_empty(), "{item:#}");
        }
    }
}

#[tokio::test]
async fn another_provider_is_chosen_from_the_catalogue_and_models_from_its_list() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/ai");
    let models = owner.get(&format!("{path}/models")).await.expect(200);
    let names: Vec<_> = models["items"].as_array().unwrap().iter().map(|model| model["name"].clone()).collect();
    assert!(names.contains(&json!("gemini-3.5-flash-lite")), "{names:?}");
    assert!(!names.contains(&json!("gemini-embedding-001")), "what cannot answer is not on offer: {names:?}");

    let mut form = json!({"settings": settings(&app, IntegrationKind::Ai)});
    form["settings"]["model"] = json!("gemini-3.5-flash-lite");
    form["settings"]["prompt"] = json!("Look at the prices.");
    let saved = owner.put(&path, &form).await.expect(200);
    assert_eq!((&saved["check"]["works"], &saved["integration"]["provider"]), (&json!(true), &json!("gemini")));

    form["provider"] = json!("openai_compatible");
    form["settings"]["base_url"] = json!(app.simulators.endpoints().openai);
    let refused = owner.put(&path, &form).await;
    let problem = refused.problem(422, "integration.invalid");
    assert_eq!(problem["fields"][0]["field"], "secrets.api_key", "no provider gets another one's key");
    form["secrets"] = json!({"api_key": "a key of nobody"});
    let saved = owner.put(&path, &form).await.expect(200);
    assert_eq!(saved["integration"]["provider"], "openai_compatible");
    assert_eq!(saved["check"]["works"], false, "that provider has another key and other models");

    let prompts = owner.get(&format!("{path}/prompts?limit=2")).await.expect(200);
    let versions: Vec<_> = prompts["items"].as_array().unwrap().iter().map(|item| item["version"].clone()).collect();
    assert_eq!(versions, [3, 2]);
    assert_eq!(prompts["items"][1]["prompt"], "Look at the prices.");
    assert_eq!(prompts["items"][1]["changed"], json!(["settings.model", "settings.prompt"]));
    let next = format!("{path}/prompts?limit=2&cursor={}", prompts["next"].as_str().unwrap());
    let rest = owner.get(&next).await.expect(200);
    assert_eq!((&rest["items"][0]["version"], &rest["next"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn prices_of_tokens_are_saved_whole_or_not_at_all() {
    let (app, _, owner) = TestApp::start().await;
    let path = format!("{ALL}/ai");
    let mut form = json!({"settings": settings(&app, IntegrationKind::Ai)});
    form["settings"]["input_price_minor"] = json!(30);
    form["settings"]["price_currency"] = json!("usd");
    let refused = owner.put(&path, &form).await.bad_fields();
    assert_eq!(refused, ["settings.output_price_minor", "settings.price_currency"]);
    form["settings"]["output_price_minor"] = json!(250);
    form["settings"]["price_currency"] = json!("USD");
    let saved = owner.put(&path, &form).await.expect(200);
    assert_eq!(saved["integration"]["settings"]["output_price_minor"], 250);
    let form = json!({"settings": settings(&app, IntegrationKind::Ai)});
    let saved = owner.put(&path, &form).await.expect(200);
    assert_eq!(saved["integration"]["settings"].get("price_currency"), None, "they are taken out again");
}

#[tokio::test]
async fn the_region_of_phones_is_chosen_from_the_catalogue() {
    let (app, _, owner) = TestApp::start().await;
    let catalogue = owner.get("/api/v1/integrations/catalogue").await.expect(200);
    let radist = catalogue["items"].as_array().unwrap().iter().find(|item| item["name"] == "radist").unwrap();
    let field = radist["fields"].as_array().unwrap().iter().find(|field| field["name"] == "phone_region").unwrap();
    assert_eq!((&field["type"], &field["required"]), (&json!("choice"), &json!(false)));
    assert!(field["choices"].as_array().unwrap().contains(&json!("UZ")));
    let path = format!("{ALL}/radist");
    let mut form = json!({"settings": settings(&app, IntegrationKind::Radist)});
    form["settings"]["phone_region"] = json!("Uzbekistan");
    assert_eq!(owner.put(&path, &form).await.bad_fields(), ["settings.phone_region"]);
    form["settings"]["phone_region"] = json!("UZ");
    let saved = owner.put(&path, &form).await.expect(200);
    assert_eq!(saved["integration"]["settings"]["phone_region"], "UZ");
}

#[tokio::test]
async fn settings_are_closed_to_whoever_has_not_the_right_and_each_company_has_its_own() {
    let (app, anonymous, owner) = TestApp::start().await;
    let user = app.user().await;
    for path in [ALL, TELEGRAM, "/api/v1/integrations/catalogue", "/api/v1/integrations/ai/models"] {
        user.get(path).await.problem(403, "access.forbidden");
        assert_eq!(anonymous.get(path).await.status, 401);
    }
    user.put(TELEGRAM, &json!({"settings": 7})).await.problem(403, "access.forbidden");
    let stranger = app.other_tenant().await;
    let form = json!({"settings": {"base_url": app.simulators.endpoints().telegram, "chat_id": "@globex"}});
    assert_eq!(stranger.put(TELEGRAM, &form).await.status, 200);
    assert_ne!(owner.get(TELEGRAM).await.expect(200)["settings"]["chat_id"], "@globex");
    assert_eq!(stranger.get(TELEGRAM).await.expect(200)["settings"]["chat_id"], "@globex");
}
