//! Staff of a test system, let in as the terminal lets them in.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use application::RequestContext;
use application::ports::clock::Clock;
use application::use_cases::NewStaff;
use domain::access::StaffRole;
use infrastructure::system::SystemClock;
use serde_json::json;

use crate::company::Credential;
use crate::{Actor, TestApp, totp};

/// Someone of the staff.
pub struct StaffPerson {
    /// The caller, signed in.
    pub actor: Actor,
    /// What the person signs in with.
    pub credential: Credential,
    /// The user's id.
    pub id: String,
    /// What renews the session.
    pub refresh: String,
}

impl TestApp {
    /// Someone with this role, with a password and a session that has no second factor.
    pub async fn staff_without_second_factor(&self, role: StaffRole) -> StaffPerson {
        let system = self.system();
        let support = RequestContext::for_support("ops-anna".parse().expect("a name"), system.ids.next());
        let unique = system.ids.next().simple();
        // The password shares nothing with the address: it is looked for in every answer.
        let password = format!("password-{}", system.ids.next().simple());
        let credential = Credential { email: format!("{role}-{unique}@synkro.example"), password };
        self.secrets.add(&credential.password);
        let (email, name) = (credential.email.parse().expect("an address"), "Staff person".parse().expect("a name"));
        let new = NewStaff { email, name, role };
        let (added, link) = system.state.staff.add_with_link(&support, new).await.expect("someone new");
        let token = link.reveal().split_once("#token=").expect("a token").1.to_owned();
        let anonymous = self.anonymous.clone();
        let chosen = json!({"token": token, "password": credential.password});
        let answer = anonymous.post("/api/v1/public/users/password-reset/confirm", &chosen).await;
        assert_eq!(answer.status, 204, "{}", answer.text);
        let login = json!({"email": credential.email, "password": credential.password});
        let tokens = anonymous.post("/api/v1/public/users/login", &login).await.expect(200);
        let text = |field: &str| tokens[field].as_str().expect("a token").to_owned();
        let (actor, refresh) = (anonymous.with_token(&text("access_token")), text("refresh_token"));
        StaffPerson { actor, credential, id: added.id.to_string(), refresh }
    }

    /// Someone with this role and a second factor, as all who work for the platform have one.
    pub async fn staff(&self, role: StaffRole) -> StaffPerson {
        let person = self.staff_without_second_factor(role).await;
        self.with_second_factor(person).await
    }

    /// The same person with an authenticator app, in the same session.
    pub async fn with_second_factor(&self, person: StaffPerson) -> StaffPerson {
        let totp_path = "/api/v1/users/me/totp";
        let begun = person.actor.post(totp_path, &json!({"password": person.credential.password})).await.expect(200);
        let code = totp(begun["secret"].as_str().expect("a secret"), SystemClock.now());
        person.actor.post(&format!("{totp_path}/confirm"), &json!({"code": code})).await.expect(200);
        let spent = json!({"refresh_token": person.refresh});
        let tokens = self.anonymous.post("/api/v1/public/users/refresh", &spent).await.expect(200);
        let text = |field: &str| tokens[field].as_str().expect("a token").to_owned();
        let (actor, refresh) = (person.actor.with_token(&text("access_token")), text("refresh_token"));
        StaffPerson { actor, refresh, ..person }
    }
}
