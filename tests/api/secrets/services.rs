//! What the flow does with services and keys: trials, letting Synkro into amoCRM, and keys that are exchanged.

use std::sync::Arc;

use application::RequestContext;
use domain::integration::IntegrationKind;
use infrastructure::crypto::Keks;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use synkro::wire;
use testkit::Actor;
use uuid::Uuid;

use super::Flow;
use crate::amocrm_oauth::Way;

const INTEGRATIONS: &str = "/api/v1/integrations";

/// A key-encryption key as its file has it, and its bytes as tables and statements would show them.
const NEW_KEK: &str = "zWyZXlezZbTGstoP+iZI4trrwW7OuFF5paRcCmG55no=";
const NEW_KEK_BYTES: &str = "cd6c995e57b365b4c6b2da0ffa2648e2daebc16eceb85179a5a45c0a61b9e67a";

impl Flow<'_> {
    /// What is connected is tried and written, and tried once more while a service repeats the key that it was shown.
    pub(super) async fn trials(&mut self, owner: &Actor) {
        for kind in IntegrationKind::ALL {
            let tried = tried(owner, kind).await;
            assert_eq!(tried["works"], true, "{tried:#}");
        }
        for kind in [IntegrationKind::Amocrm, IntegrationKind::Radist] {
            let written = owner.post(&format!("{INTEGRATIONS}/{}/write", kind.name()), &Value::Null).await.expect(200);
            assert_eq!(written["works"], true, "{written:#}");
        }
        let body = format!("the key {} is not good", self.app.secret(IntegrationKind::Radist));
        let kind = FaultKind::Status { status: 401, body, headers: Vec::new() };
        self.app.fault(Service::Radist, None, kind, None);
        let tried = tried(owner, IntegrationKind::Radist).await;
        assert_eq!(tried["works"], false, "{tried:#}");
        self.refusals.push(tried.to_string());
        self.app.simulators.faults().clear();
    }

    /// amoCRM is connected by a code; its tokens fetch deals and are renewed. Then it repeats what it was asked with.
    pub(super) async fn authorizations(&mut self, owner: &Actor) {
        let app = self.app;
        app.prepare_amocrm().await;
        let way = self.way(owner).await;
        let connected = way.back(self.anonymous).await;
        assert!(connected.text.contains("amoCRM is connected"), "{}", connected.text);
        self.plant_tokens();
        assert_eq!(owner.run_report(app.days()).await.status(), "completed");
        app.simulators.amocrm_grants().expire_access_tokens();
        assert_eq!(owner.run_report(app.days()).await.status(), "completed");
        self.plant_tokens();

        let refused = self.way(owner).await;
        let hint = format!("{} of {} is not good", said(&refused, "code"), app.amocrm_client_secret());
        let body = json!({"hint": hint}).to_string();
        let kind = FaultKind::Status { status: 400, body, headers: Vec::new() };
        app.fault(Service::Amocrm, Some("/oauth2/access_token"), kind, Some(1));
        for way in [way, refused] {
            let answer = way.back(self.anonymous).await;
            assert!(answer.text.contains("amoCRM is not connected"), "{}", answer.text);
            self.refusals.push(format!("{answer:?}"));
        }
        assert!(app.simulators.faults().waiting().is_empty(), "amoCRM was not asked with the other code");
    }

    /// The way to amoCRM and back, whose state, code and cookie nobody may find again.
    async fn way(&self, owner: &Actor) -> Way {
        let way = Way::of(owner).await;
        self.planted.add(said(&way, "state"));
        self.planted.add(said(&way, "code"));
        let (_, cookie) = way.cookie.as_deref().unwrap().split_once('=').unwrap();
        self.planted.add(cookie);
        way
    }

    /// Of these, answers are searched from now on too: nobody is told them.
    fn plant_tokens(&self) {
        let tokens = self.app.simulators.amocrm_grants().tokens();
        assert!(!tokens.is_empty(), "amoCRM gave no tokens");
        for token in tokens {
            self.app.secrets.add(token.expose());
        }
    }

    /// The company's data key is exchanged, then the one that wraps it; a process with the new one alone opens all.
    pub(super) async fn keys(&self, owner: &Actor) {
        let (database, tenant) = (self.app.database().database(), self.app.company.tenant_id);
        let former = std::fs::read_to_string(self.app.kek_file()).unwrap();
        for key in [former.trim(), NEW_KEK, NEW_KEK_BYTES] {
            self.app.secrets.add(key);
        }
        let operator = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(1));
        let keks = |text: &str| Arc::new(Keks::parse(text).unwrap());
        let data_keys = wire::data_key_exchange(database, keks(&former));
        let exchanged = data_keys.exchange(&operator, tenant, &|_| ()).await.unwrap().unwrap();
        assert!(exchanged.sealed_anew > 0, "{exchanged:?}");
        assert_eq!(tried(owner, IntegrationKind::Radist).await["works"], true);

        let exchange = wire::kek_exchange(database, keks(&format!("{NEW_KEK}\n{former}")));
        assert!(exchange.exchange(&operator, &|_| ()).await.unwrap() > 0);
        std::fs::write(self.app.kek_file(), NEW_KEK).unwrap();
        let restarted = self.app.another_process().await.with_token(owner.token());
        assert_eq!(tried(&restarted, IntegrationKind::Radist).await["works"], true);
    }
}

/// The outcome of a provider's first trial.
async fn tried(owner: &Actor, kind: IntegrationKind) -> Value {
    owner.post(&format!("{INTEGRATIONS}/{}/test", kind.name()), &json!({})).await.expect(200)
}

/// What the browser is led back with under this name.
fn said<'a>(way: &'a Way, name: &str) -> &'a str {
    let (_, value) = way.query.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}"));
    value
}
