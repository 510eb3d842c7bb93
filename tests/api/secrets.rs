//! What nobody may ever read, after a whole flow through the system.

mod services;

use domain::integration::IntegrationKind;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::engine::{PostgresServer, Shutdown};
use testkit::secrets::{Secrets, files_with};
use testkit::{Actor, Answer, CapturedLog, TestApp};

const LOGIN: &str = "/api/v1/public/users/login";
const REFRESH: &str = "/api/v1/public/users/refresh";
const NEW_PASSWORD: &str = "a bicycle made of glass";
const OTHER_PASSWORD: &str = "seven green umbrellas";
const WRONG_PASSWORD: &str = "nobody chose these words";

/// The only places of hashes: under each, what tells a password, a token or a state without being it.
const HASHES: [(&str, &str); 5] = [
    ("credentials", "password_hash"),
    ("refresh_tokens", "encode(token_hash, 'hex')"),
    ("refresh_tokens", "csrf_hash"),
    ("one_time_links", "encode(token_hash, 'hex')"),
    ("authorization_states", "encode(state_hash, 'hex')"),
];

/// Texts that were made on the way, and the answers that refused something.
struct Flow<'a> {
    app: &'a TestApp,
    anonymous: &'a Actor,
    planted: Secrets,
    refusals: Vec<String>,
}

impl Flow<'_> {
    /// The token under this name, which nobody may find again.
    fn plant(&self, answer: &Value, name: &str) -> String {
        let token = answer[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned();
        self.planted.add(&token);
        token
    }

    async fn post(&self, actor: &Actor, path: &str, body: Value) -> Answer {
        actor.post(path, &body).await
    }

    /// An answer that refuses.
    fn refused(&mut self, answer: &Answer) {
        assert!(answer.status >= 400, "{}", answer.text);
        self.refusals.push(format!("{answer:?}"));
    }

    async fn link(&self, address: &str, n: usize) -> String {
        let token = self.app.mailer().nth(address, n).await.token();
        self.planted.add(&token);
        token
    }

    /// Sessions: by token and by cookie, renewed, renewed twice, tampered with, ended.
    async fn sessions(&mut self, email: &str, password: &str) -> Actor {
        let wrong = json!({"email": email, "password": WRONG_PASSWORD});
        let refusal = self.post(self.anonymous, LOGIN, wrong).await;
        self.refused(&refusal);
        let login = json!({"email": email, "password": password});
        let first = self.post(self.anonymous, LOGIN, login).await.expect(200);
        let actor = self.anonymous.with_token(&self.plant(&first, "access_token"));
        let used = self.plant(&first, "refresh_token");
        let next = self.post(self.anonymous, REFRESH, json!({"refresh_token": used})).await.expect(200);
        self.plant(&next, "access_token");
        self.plant(&next, "refresh_token");
        let page = json!({"email": email, "password": password, "cookies": true});
        let page = self.post(self.anonymous, LOGIN, page).await;
        self.plant(&page.expect(200), "csrf_token");
        for cookie in page.headers.get_all("set-cookie") {
            let (_, value) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.planted.add(value.split(';').next().unwrap());
        }
        let token = format!("{}x", actor.token());
        let refusal = actor.with_token(&token).get("/api/v1/users/me").await;
        self.refused(&refusal);
        let refusal = self.post(self.anonymous, REFRESH, json!({"refresh_token": format!("{used}x")})).await;
        self.refused(&refusal);
        actor
    }

    /// Passwords that are changed, forgotten and chosen, and addresses that move.
    async fn accounts(&mut self, owner: &Actor, email: &str, password: &str) {
        let person = self.anonymous.sign_in(email, password).await;
        self.planted.add(person.token());
        let own = "/api/v1/users/me/password";
        let wrong = json!({"old_password": WRONG_PASSWORD, "new_password": NEW_PASSWORD});
        let refusal = self.post(&person, own, wrong).await;
        self.refused(&refusal);
        let change = json!({"old_password": password, "new_password": NEW_PASSWORD});
        assert_eq!(self.post(&person, own, change).await.status, 204);
        let forgot = self.post(self.anonymous, "/api/v1/public/users/password-reset", json!({"email": email})).await;
        assert_eq!(forgot.status, 202);
        let token = self.link(email, 1).await;
        let confirm = "/api/v1/public/users/password-reset/confirm";
        let chosen = json!({"token": token, "password": OTHER_PASSWORD});
        assert_eq!(self.post(self.anonymous, confirm, chosen.clone()).await.status, 204);
        let refusal = self.post(self.anonymous, confirm, chosen).await;
        self.refused(&refusal);
        let invite = json!({"email": "pavel@acme.example", "role": "user"});
        self.post(owner, "/api/v1/users/invitations", invite).await.expect(202);
        let token = self.link("pavel@acme.example", 1).await;
        let joins = json!({"token": token, "name": "Pavel", "password": OTHER_PASSWORD});
        self.post(self.anonymous, "/api/v1/public/users/invitations/accept", joins).await.expect(200);
        let company = json!({
            "company": "Northern Forest", "slug": "forest", "name": "Olga", "email": "olga@forest.example",
            "password": NEW_PASSWORD,
        });
        self.post(self.anonymous, "/api/v1/public/users/register", company).await.expect(201);
    }

    /// Runs, one of which fails while a provider repeats the key that it was shown.
    async fn runs(&mut self, owner: &Actor) {
        assert_eq!(owner.run_report(self.app.days()).await.status(), "completed");
        let body = format!("the key {} is not good", self.app.secret(IntegrationKind::Telegram));
        let kind = FaultKind::Status { status: 401, body, headers: Vec::new() };
        self.app.fault(Service::Telegram, None, kind, None);
        let run = owner.run_report(self.app.days()).await;
        assert_ne!(run.status(), "completed");
        self.refusals.push(format!("{:?}", run.0));
    }

    /// A new key of a service, which does not take it.
    async fn connections(&mut self, owner: &Actor) {
        let token = format!("987654:{}Zq", "Zq9".repeat(11));
        self.planted.add(&token);
        let settings = serde_json::to_value(self.app.settings(IntegrationKind::Telegram)).unwrap();
        let settings = json!({"base_url": settings["base_url"], "chat_id": settings["chat_id"]});
        let form = json!({"settings": settings, "secrets": {"bot_token": token}});
        let saved = owner.put("/api/v1/integrations/telegram", &form).await;
        assert_eq!(saved.expect(200)["check"]["works"], false);
        self.refusals.push(format!("{saved:?}"));
        let shown = owner.get("/api/v1/integrations/telegram").await;
        assert_eq!(shown.expect(200)["secrets"]["bot_token"], "***");
        self.refusals.push(format!("{shown:?}"));
    }

    /// Every row of every table, by table.
    async fn rows(&self) -> Vec<(String, String)> {
        let pool = self.app.database().pool();
        let tables = "select tablename::text from pg_tables where schemaname = current_schema() order by 1";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(pool).await.unwrap();
        assert!(tables.len() > 20, "{tables:?}");
        let mut rows = Vec::new();
        for table in tables {
            let all = format!("select coalesce(string_agg(to_jsonb(kept)::text, ' '), '') from {table} kept");
            rows.push((table, sqlx::query_scalar(&all).fetch_one(pool).await.unwrap()));
        }
        rows
    }

    async fn hashes(&self, (table, column): (&str, &str)) -> Secrets {
        let all = format!("select {column} from {table} where {column} is not null");
        let found: Vec<String> = sqlx::query_scalar(&all).fetch_all(self.app.database().pool()).await.unwrap();
        assert!(!found.is_empty(), "the flow leaves nothing in {table}");
        let hashes = Secrets::default();
        for hash in &found {
            hashes.add(hash);
        }
        hashes
    }
}

/// Everything is asked for that can be logged. Seen to fail without the caps on what libraries log: sea-orm shows the values
/// that it binds, the hash of a password among them. And with a secret bound to a statement that keeps nothing.
#[tokio::test]
async fn no_secret_is_left_anywhere() {
    let log = CapturedLog::of_program("trace");
    let server = PostgresServer::start();
    server.log_statements().await;
    let (app, anonymous, owner) = TestApp::build().self_service().on(&server).start().await;
    let someone = app.credential().await;
    let planted = app.secrets.clone();
    // Answers are searched for these too, but for tokens, which signing in answers with.
    for password in [&someone.password, NEW_PASSWORD, OTHER_PASSWORD, WRONG_PASSWORD] {
        planted.add(password);
    }
    let mut flow = Flow { app: &app, anonymous: &anonymous, planted: Secrets::default(), refusals: Vec::new() };
    flow.accounts(&owner, &someone.email, &someone.password).await;
    // After that, because a new password takes away the tokens of before.
    let device = flow.sessions(&someone.email, OTHER_PASSWORD).await;
    flow.trials(&owner).await;
    flow.authorizations(&owner).await;
    flow.runs(&owner).await;
    flow.connections(&owner).await;
    assert_eq!(device.send(device.request(Method::POST, "/api/v1/users/logout")).await.status, 204);
    flow.keys(&owner).await;

    let (said, rows) = (log.text(), flow.rows().await);
    assert!(said.contains("answered") && rows.iter().any(|(table, rows)| table == "audit_entries" && !rows.is_empty()));
    let (refusals, events) = (flow.refusals.join("\n"), format!("{:?}", app.events().await));
    let mut hashes = Vec::new();
    for place in HASHES {
        hashes.push((place.0, flow.hashes(place).await));
    }
    let places = [(&said, "the log"), (&refusals, "a refusal"), (&events, "the event log")];
    for secrets in [&planted, &flow.planted].into_iter().chain(hashes.iter().map(|(_, hashes)| hashes)) {
        for (text, place) in places {
            secrets.assert_none_in(text, place);
        }
    }
    for (table, rows) in &rows {
        planted.assert_none_in(rows, table);
        flow.planted.assert_none_in(rows, table);
        let elsewhere = hashes.iter().filter(|(home, _)| home != table);
        elsewhere.for_each(|(_, hashes)| hashes.assert_none_in(rows, table));
    }
    server.stop(Shutdown::Fast);
    let company = files_with(server.folder(), &["Northern Forest".to_owned()]);
    let is_in = |place: &str| company.iter().any(|file| file.starts_with(server.folder().join(place)));
    assert!(["data/base", "data/pg_wal", "log"].into_iter().all(is_in), "{company:?}");
    planted.assert_none_in_files(server.folder());
    flow.planted.assert_none_in_files(server.folder());
}
