//! A company lets Synkro into its amoCRM account, against the simulator over HTTP.

use application::RequestContext;
use application::ports::clock::Clock;
use application::use_cases::NewTenant;
use chrono::TimeDelta;
use domain::access::Preset;
use domain::ids::TenantId;
use domain::integration::CheckOutcome;
use domain::values::Language;
use infrastructure::system::SystemClock;
use poem::http::Method;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, Answer, TestApp};

const BEGIN: &str = "/api/v1/integrations/amocrm/authorize";
const CALLBACK: &str = "/integrations/amocrm/callback";
const AMOCRM: &str = "/api/v1/integrations/amocrm";

/// What the way back is made of.
#[derive(Clone)]
pub(crate) struct Way {
    slug: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) cookie: Option<String>,
}

impl Way {
    /// Begins, and goes through amoCRM's page, as the browser of this caller does.
    pub(crate) async fn of(caller: &Actor) -> Self {
        let begun = caller.post(BEGIN, &json!({})).await;
        let page = begun.expect(200)["url"].as_str().unwrap().to_owned();
        let cookie = begun.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let left = browser.get(page).send().await.unwrap();
        let back = reqwest::Url::parse(left.headers()["location"].to_str().unwrap()).unwrap();
        assert_eq!(back.path(), format!("{CALLBACK}/acme"));
        let query = back.query_pairs().into_owned().collect();
        Self { slug: "acme".to_owned(), query, cookie: Some(cookie) }
    }

    /// The same with another value of a parameter.
    fn with(mut self, name: &str, value: &str) -> Self {
        for (_, old) in self.query.iter_mut().filter(|(known, _)| known == name) {
            value.clone_into(old);
        }
        self
    }

    pub(crate) async fn back(&self, browser: &Actor) -> Answer {
        let request = browser.request(Method::GET, &format!("{CALLBACK}/{}", self.slug)).query(&self.query);
        browser.send(self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie))).await
    }
}

/// A page with these words.
#[track_caller]
fn assert_page(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{answer:?}");
    assert!(answer.text.contains(words), "{}", answer.text);
}

const REFUSED: &str = "was used, is out of time, or did not begin in this browser";

fn exchanges(app: &TestApp) -> usize {
    app.calls(Service::Amocrm, "/oauth2/access_token").len()
}

async fn names(app: &TestApp) -> Vec<String> {
    app.events().await.into_iter().map(|event| event.event_type).collect()
}

#[tokio::test]
async fn whoever_lets_synkro_in_has_it_fetch_deals_with_tokens_that_nobody_reads() {
    let (app, anonymous, owner) = TestApp::start().await;
    owner.post(BEGIN, &json!({})).await.problem(409, "oauth.not_prepared");
    app.prepare_amocrm().await;
    let begun = owner.post(BEGIN, &json!({})).await;
    let cookie = begun.header("set-cookie").unwrap();
    for part in ["__Host-synkro-oauth=", "; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let way = Way::of(&owner).await;
    let state = way.query.iter().find(|(name, _)| name == "state").unwrap().1.clone();
    assert_eq!(state.len(), 43, "256 bits");
    assert_page(&way.back(&anonymous).await, "amoCRM is connected");
    for token in app.simulators.amocrm_grants().tokens() {
        app.secrets.add(token.expose());
    }
    app.secrets.add(&state);
    let run = owner.run_report(app.days()).await;
    assert_eq!(run.status(), "completed", "{:#}", run.0);
    app.simulators.amocrm_grants().expire_access_tokens();
    let run = owner.run_report(app.days()).await;
    assert_eq!(run.status(), "completed", "a token that is taken no more is renewed: {:#}", run.0);
    assert_eq!(exchanges(&app), 2);
    app.assert_log_keeps_secrets().await;
    let names = names(&app).await;
    for name in ["IntegrationAuthorized", "IntegrationTokensRenewed"] {
        assert!(names.iter().any(|known| known == name), "{name} is missing");
    }
    assert_page(&way.back(&anonymous).await, REFUSED);
}

/// Seen to fail with a state that is not used up, with one whose time is never over, and without the question for the company,
/// the browser or the session.
#[tokio::test]
async fn a_wrong_reused_expired_or_foreign_state_is_refused() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    let stranger = app.other_tenant().await;
    stranger.post(BEGIN, &json!({})).await.problem(409, "oauth.not_prepared");
    let way = Way::of(&owner).await;
    let colleague = Way::of(&app.person("owner").await).await;
    let wrong = way.clone().with("state", &"A".repeat(43));
    let other_company = Way { slug: "globex".to_owned(), ..way.clone() };
    let no_browser = Way { cookie: None, ..way.clone() };
    let other_session = Way { cookie: colleague.cookie.clone(), ..way.clone() };
    for refused in [wrong, other_company, no_browser, other_session] {
        assert_page(&refused.back(&anonymous).await, REFUSED);
    }
    assert_eq!(exchanges(&app), 0, "nothing is sent for them");

    let late = Way::of(&owner).await;
    let hash = "update authorization_states set expires_at = now() where issued_at = \
                (select max(issued_at) from authorization_states)";
    app.database().as_owner(hash).await;
    assert_page(&late.back(&anonymous).await, REFUSED);

    let gone = app.person("owner").await;
    let of_ended_session = Way::of(&gone).await;
    assert_eq!(gone.post("/api/v1/users/logout", &json!({})).await.status, 204);
    assert_page(&of_ended_session.back(&anonymous).await, REFUSED);
    assert_eq!(exchanges(&app), 0, "nothing is sent for them either");

    assert_page(&way.back(&anonymous).await, "amoCRM is connected");
    assert_page(&way.back(&anonymous).await, REFUSED);
    assert_eq!(exchanges(&app), 1);
}

/// Seen to fail with a state that is not used up.
#[tokio::test]
async fn two_who_come_back_at_once_with_one_state_are_one() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    let way = Way::of(&owner).await;
    let (one, other) = tokio::join!(way.back(&anonymous), way.back(&anonymous));
    let is_connected = |answer: &Answer| answer.text.contains("amoCRM is connected");
    assert_eq!((is_connected(&one) != is_connected(&other), exchanges(&app)), (true, 1));
}

#[tokio::test]
async fn what_goes_wrong_at_amocrm_is_said_in_words() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    let grants = app.simulators.amocrm_grants();
    grants.refuse(true);
    assert_page(&Way::of(&owner).await.back(&anonymous).await, "access was refused there");
    grants.refuse(false);
    for host in ["evil.test", "demo.amocrm.ru.evil.test", "169.254.169.254", "demo.amocrm.ru:8080"] {
        let way = Way::of(&owner).await.with("referer", host);
        assert_page(&way.back(&anonymous).await, "nothing was sent");
    }
    let way = Way::of(&owner).await.with("client_id", "another");
    assert_page(&way.back(&anonymous).await, "client id was changed");
    assert_eq!(exchanges(&app), 0);
    let late = Way::of(&owner).await;
    grants.expire_codes();
    assert_page(&late.back(&anonymous).await, "out of time");
    let forged = Way::of(&owner).await.with("code", "<script>");
    assert_page(&forged.back(&anonymous).await, "did not accept the code");
    let outcome = app.check_amocrm().await;
    assert!(matches!(&outcome, CheckOutcome::Failing { reason } if reason.contains("nobody has let Synkro in")));
}

#[tokio::test]
async fn what_is_connected_is_checked_at_once_and_stays_connected_where_it_does_not_work() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    assert_page(&Way::of(&owner).await.back(&anonymous).await, "amoCRM is connected");
    let shown = owner.get(AMOCRM).await.expect(200);
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("green"), &Value::Null));

    let unpaid = FaultKind::Status { status: 402, body: "{}".into(), headers: Vec::new() };
    app.fault(Service::Amocrm, Some("/api/v4/account"), unpaid, Some(1));
    assert_page(&Way::of(&owner).await.back(&anonymous).await, "amoCRM is connected");
    let shown = owner.get(AMOCRM).await.expect(200);
    assert_eq!(shown["status"], "red");
    assert!(shown["reason"].as_str().unwrap().contains("not paid"), "{shown:#}");

    let no_rights = FaultKind::Status { status: 403, body: "{}".into(), headers: Vec::new() };
    app.fault(Service::Amocrm, Some("/api/v4/users"), no_rights, Some(1));
    assert_page(&Way::of(&owner).await.back(&anonymous).await, "amoCRM is connected");
    let shown = owner.get(AMOCRM).await.expect(200);
    assert_eq!(shown["status"], "yellow");
    assert!(shown["reason"].as_str().unwrap().contains("administrator"), "{shown:#}");
}

#[tokio::test]
async fn the_history_names_who_let_synkro_in() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    let owner_is = owner.get("/api/v1/users/me").await.expect(200);
    assert_page(&Way::of(&owner).await.back(&anonymous).await, "amoCRM is connected");
    let query = format!("event_type=IntegrationAuthorized&actor={}", owner_is["id"].as_str().unwrap());
    let entry = app.event_shown(&owner, &query).await;
    let actor = json!({"kind": "user", "id": owner_is["id"], "name": owner_is["name"], "role": "owner"});
    assert_eq!(entry["actor"], actor);
    assert_eq!((&entry["right"], &entry["ip"]), (&json!("settings:write"), &json!("127.0.0.1")));
}

#[tokio::test]
async fn the_address_to_come_back_to_is_told_where_the_form_is_filled_in() {
    let (_app, _, owner) = TestApp::start().await;
    let shown = owner.get(AMOCRM).await.expect(200);
    assert_eq!(shown["callback_url"], "https://synkro.example/integrations/amocrm/callback/acme");
    let telegram = owner.get("/api/v1/integrations/telegram").await.expect(200);
    assert_eq!(telegram["callback_url"], Value::Null);
    let catalogue = owner.get("/api/v1/integrations/catalogue").await.expect(200);
    let amocrm = catalogue["items"].as_array().unwrap().iter().find(|provider| provider["name"] == "amocrm").unwrap();
    for language in ["en", "ru"] {
        let mut steps = amocrm["steps"].as_array().unwrap().iter().map(|step| step[language].as_str().unwrap());
        assert!(steps.any(|step| step.contains("callback_url")), "{language}: {amocrm:#}");
    }
}

#[tokio::test]
async fn a_refusal_is_said_in_the_companys_language_and_else_in_the_browsers() {
    let (app, anonymous, _) = TestApp::start().await;
    let id = TenantId::from(app.system().ids.next());
    let (name, slug) = ("Romashka".parse().unwrap(), "romashka".parse().unwrap());
    let tenant = NewTenant { id, name, slug, language: Language::Russian, preset: Preset::Sales };
    let context = RequestContext::for_system("tests", id, id.uuid(), id.uuid());
    app.system().provisioning.provision(&context, tenant).await.unwrap();
    for (slug, asked, spoken) in [
        ("romashka", "en", "ru"),
        ("acme", "ru", "en"),
        ("nowhere", "ru-RU,en;q=0.5", "ru"),
        ("nowhere", "de", "en"),
        ("No_Slug", "ru", "ru"),
    ] {
        let request = anonymous.request(Method::GET, &format!("{CALLBACK}/{slug}")).header("accept-language", asked);
        let page = anonymous.send(request).await;
        assert_page(&page, &format!("<html lang=\"{spoken}\">"));
        assert_eq!(page.text.contains(REFUSED), spoken == "en", "{}", page.text);
        assert_eq!(page.text.contains("уже использована, устарела"), spoken == "ru", "{}", page.text);
    }
}

#[tokio::test]
async fn only_people_who_may_change_settings_let_synkro_in() {
    let (app, anonymous, owner) = TestApp::start().await;
    app.prepare_amocrm().await;
    app.user().await.post(BEGIN, &json!({})).await.problem(403, "access.forbidden");
    anonymous.post(BEGIN, &json!({})).await.problem(401, "token.missing");
    let expires_at = SystemClock.now() + TimeDelta::days(1);
    let key = json!({"name": "All", "scopes": ["settings:write"], "expires_at": expires_at});
    let created = owner.post("/api/v1/api-keys", &key).await.expect(201);
    let program = anonymous.with_token(created["key"].as_str().unwrap());
    program.post(BEGIN, &json!({})).await.problem(403, "access.person_needed");
}
