//! A company whose things are asked for, and those who ask.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use application::ports::clock::Clock;
use chrono::TimeDelta;
use domain::access::{Preset, StaffRole};
use infrastructure::system::SystemClock;
use reqwest::Method;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::company::Credential;
use testkit::{Actor, Answer, TestApp};

/// Longer than any of these tests: runs that begin wait for their first answer.
const FOR_EVER: Duration = Duration::from_mins(10);

/// One who calls, with what signing in again takes.
pub(super) struct Someone {
    pub(super) actor: Actor,
    pub(super) credential: Option<Credential>,
}

impl Someone {
    /// One who cannot sign in again.
    pub(super) fn without_password(actor: Actor) -> Self {
        Self { actor, credential: None }
    }
}

/// A company with things of every kind.
pub(super) struct World<'a> {
    pub(super) app: &'a TestApp,
    pub(super) anonymous: &'a Actor,
    pub(super) owner: &'a Actor,
    /// One of the platform's staff who may do everything there.
    admin: Actor,
    /// A run that has ended, and the report that it made.
    pub(super) run: String,
    pub(super) report: String,
    /// An event of the company.
    pub(super) position: String,
    /// The last role of the preset: everyone who manages users manages these.
    lowest: String,
    /// Ids of all things of the company that were asked for.
    named: Mutex<Vec<String>>,
    counted: AtomicU32,
}

/// A session: whose, which, and the token that renews it.
pub(super) struct Session {
    pub(super) user: String,
    pub(super) id: String,
    pub(super) refresh: String,
    pub(super) credential: Credential,
}

impl<'a> World<'a> {
    pub(super) async fn of(app: &'a TestApp, anonymous: &'a Actor, owner: &'a Actor, preset: Preset) -> Self {
        let run = owner.run_report(app.days()).await.id().to_owned();
        let report = text(&owner.get("/api/v1/reports").await.expect(200)["items"][0]["id"]);
        let position = text(&app.event_shown(owner, "event_type=ReportPublished").await["position"]);
        // From here on no run comes to its end by itself, so that each can be cancelled.
        app.fault(Service::Amocrm, None, FaultKind::Delay(FOR_EVER), None);
        let lowest = preset.roles().pop().expect("every company has roles").name.to_string();
        let named = Mutex::new(vec![run.clone(), report.clone(), app.company.tenant_id.to_string()]);
        let admin = app.staff(StaffRole::SuperAdmin).await.actor;
        Self { app, anonymous, owner, admin, run, report, position, lowest, named, counted: AtomicU32::new(0) }
    }

    /// A new member of the company with this role.
    pub(super) async fn person(&self, role: &str) -> Someone {
        let credential = self.app.credential_as(role).await;
        let actor = self.anonymous.sign_in(&credential.email, &credential.password).await;
        Someone { actor, credential: Some(credential) }
    }

    /// A name that nothing has yet.
    pub(super) fn new_name(&self) -> String {
        format!("thing{}", self.counted.fetch_add(1, Ordering::Relaxed))
    }

    /// A session of this person, or of a new colleague.
    pub(super) async fn session(&self, of: Option<&Credential>) -> Session {
        let credential = match of {
            Some(credential) => credential.clone(),
            None => self.app.credential_as(&self.lowest).await,
        };
        let login = json!({"email": credential.email, "password": credential.password});
        let tokens = self.anonymous.post("/api/v1/public/users/login", &login).await.expect(200);
        let actor = self.anonymous.with_token(&text(&tokens["access_token"]));
        let user = text(&actor.get("/api/v1/users/me").await.expect(200)["id"]);
        let (id, refresh) = (self.name(&tokens["session_id"]), text(&tokens["refresh_token"]));
        self.named.lock().unwrap().push(user.clone());
        Session { user, id, refresh, credential }
    }

    /// A new run that goes on.
    pub(super) async fn new_run(&self) -> String {
        let run = self.owner.start_run(self.app.days()).await;
        self.name(&json!(run))
    }

    /// The company's id.
    pub(super) fn company(&self) -> String {
        self.app.company.tenant_id.to_string()
    }

    /// A new impersonation, and the member of staff in this user's name.
    pub(super) async fn impersonation(&self, user: &str) -> (String, Actor) {
        let path = format!("/api/v1/platform/tenants/{}/impersonations", self.company());
        let token = self.admin.post(&path, &json!({"user_id": user, "reason": "Help."})).await.expect(201);
        self.app.secrets.add(&text(&token["access_token"]));
        (self.name(&token["id"]), self.anonymous.with_token(&text(&token["access_token"])))
    }

    /// Ends it.
    pub(super) async fn end_impersonation(&self, id: &str) {
        let path = format!("/api/v1/impersonations/{id}");
        let answer = self.owner.send(self.owner.request(Method::DELETE, &path)).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    }

    /// A new company that is in use, and suspended where that is wanted.
    pub(super) async fn new_tenant(&self, suspended: bool) -> String {
        let made = self.admin.post("/api/v1/platform/tenants", &self.tenant()).await.expect(201);
        let id = self.name(&made["id"]);
        let path = format!("/api/v1/platform/tenants/{id}");
        let reason = json!({"reason": "A test."});
        assert_eq!(self.admin.post(&format!("{path}/activate"), &json!({})).await.status, 204);
        assert!(!suspended || self.admin.post(&format!("{path}/suspend"), &reason).await.status == 204);
        id
    }

    /// What sets a company up.
    pub(super) fn tenant(&self) -> Value {
        json!({"name": "Another company", "slug": self.new_name()})
    }

    /// Someone new of the staff, who may sign in or not.
    pub(super) async fn new_staff(&self, active: bool) -> String {
        let made = self.admin.post("/api/v1/platform/staff", &self.staff()).await.expect(201);
        let id = self.name(&made["id"]);
        let deactivate = format!("/api/v1/platform/staff/{id}/deactivate");
        assert!(active || self.admin.post(&deactivate, &json!({})).await.status == 204);
        id
    }

    /// What lets someone in among the staff.
    pub(super) fn staff(&self) -> Value {
        json!({"email": format!("{}@synkro.example", self.new_name()), "name": "Vera", "role": "support"})
    }

    /// The id of a new colleague, who may sign in or not.
    pub(super) async fn colleague(&self, active: bool) -> String {
        let user = self.session(None).await.user;
        let deactivate = format!("/api/v1/users/{user}/deactivate");
        assert!(active || self.owner.post(&deactivate, &json!({})).await.status == 204);
        user
    }

    /// A new invitation.
    pub(super) async fn new_invitation(&self) -> String {
        let answer = self.owner.post("/api/v1/users/invitations", &self.invitation()).await;
        self.name(&answer.expect(202)["id"])
    }

    /// What invites somebody.
    pub(super) fn invitation(&self) -> Value {
        json!({"email": format!("{}@acme.example", self.new_name()), "role": self.lowest})
    }

    /// A new key of a program.
    pub(super) async fn new_api_key(&self) -> String {
        let answer = self.owner.post("/api/v1/api-keys", &self.api_key()).await;
        self.name(&answer.expect(201)["id"])
    }

    /// What makes a key.
    pub(super) fn api_key(&self) -> Value {
        self.api_key_with("runs:read", TimeDelta::days(1))
    }

    fn api_key_with(&self, scope: &str, life: TimeDelta) -> Value {
        json!({"name": self.new_name(), "scopes": [scope], "expires_at": SystemClock.now() + life})
    }

    /// A program with a new key, and the key's id.
    pub(super) async fn program(&self, scope: &str, life: TimeDelta) -> (String, Actor) {
        let created = self.owner.post("/api/v1/api-keys", &self.api_key_with(scope, life)).await.expect(201);
        self.app.secrets.add(&text(&created["key"]));
        (self.name(&created["id"]), self.anonymous.with_token(&text(&created["key"])))
    }

    /// Revokes a key.
    pub(super) async fn revoke_api_key(&self, id: &str) {
        let answer = self.owner.post(&format!("/api/v1/api-keys/{id}/revoke"), &json!({})).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
    }

    /// A new role that may see runs.
    pub(super) async fn new_role(&self) -> String {
        let answer = self.owner.post("/api/v1/admin/matrix/roles", &self.role()).await;
        self.name(&answer.expect(200)["role"]["id"])
    }

    /// What defines a role.
    pub(super) fn role(&self) -> Value {
        json!({"name": self.new_name(), "title": "Role", "level": 1, "permissions": ["runs:read"]})
    }

    /// What adds an entry to this list of the catalogue: `services`, `actions` or `permissions`.
    pub(super) async fn entry(&self, list: &str) -> Value {
        if list != "permissions" {
            return json!({"name": self.new_name(), "title": "Entry"});
        }
        let mut names = Vec::new();
        for part in ["services", "actions"] {
            let body = json!({"name": self.new_name(), "title": "Entry"});
            self.owner.post(&format!("/api/v1/admin/matrix/{part}"), &body).await.expect(200);
            names.push(body["name"].clone());
        }
        json!({"service": names[0], "action": names[1], "title": "Entry"})
    }

    /// A new entry of this list of the catalogue.
    pub(super) async fn new_entry(&self, list: &str) -> String {
        let body = self.entry(list).await;
        let answer = self.owner.post(&format!("/api/v1/admin/matrix/{list}"), &body).await;
        self.name(&answer.expect(200)["id"])
    }

    /// Fails where the answer, but for the address that was asked for, holds the id of something of the company.
    pub(super) fn assert_names_nothing(&self, operation: &str, answer: &Answer) {
        for id in self.named.lock().unwrap().iter() {
            assert!(!answer.text.contains(id), "{operation} names another company's {id}: {}", answer.text);
        }
    }

    fn name(&self, id: &Value) -> String {
        let id = text(id);
        self.named.lock().unwrap().push(id.clone());
        id
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
