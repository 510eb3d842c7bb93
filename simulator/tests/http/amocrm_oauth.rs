//! Letting an integration in, as a browser and a connector see it (amoCRM sheet §2).

use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

use crate::{Stage, unlimited};

const BACK: &str = "https://synkro.example/callback/acme";

struct Integration(Stage);

impl Integration {
    async fn new() -> Self {
        let stage = Stage::with(unlimited()).await;
        stage.simulators.amocrm_grants().redirect_to(BACK);
        Self(stage)
    }

    async fn back(&self) -> Vec<(String, String)> {
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let page = format!("{}/oauth", self.0.simulators.endpoints().amocrm);
        let query = [("client_id", self.0.accounts.amocrm_client_id.as_str()), ("state", "s1"), ("mode", "popup")];
        let left = browser.get(page).query(&query).send().await.unwrap();
        let back = reqwest::Url::parse(left.headers()["location"].to_str().unwrap()).unwrap();
        assert!(back.as_str().starts_with(BACK), "{back}");
        back.query_pairs().into_owned().collect()
    }

    async fn ask(&self, part: Value) -> (u16, Value) {
        let mut body = json!({
            "client_id": self.0.accounts.amocrm_client_id, "redirect_uri": BACK,
            "client_secret": self.0.accounts.amocrm_client_secret.expose(),
        });
        body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let url = format!("{}/oauth2/access_token", self.0.simulators.endpoints().amocrm);
        let answer = self.0.client.post(url).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn code(&self, code: &str) -> (u16, Value) {
        self.ask(json!({"grant_type": "authorization_code", "code": code})).await
    }

    async fn refresh(&self, tokens: &Value) -> (u16, Value) {
        self.ask(json!({"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})).await
    }

    async fn account(&self, tokens: &Value) -> u16 {
        let url = format!("{}/api/v4/account", self.0.simulators.endpoints().amocrm);
        let call = self.0.client.get(url).bearer_auth(tokens["access_token"].as_str().unwrap());
        call.send().await.unwrap().status().as_u16()
    }

    async fn let_in(&self) -> Value {
        let back = self.back().await;
        let (_, code) = back.iter().find(|(name, _)| name == "code").unwrap();
        let (status, tokens) = self.code(code).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let integration = Integration::new().await;
    let back = integration.back().await;
    let of = |name: &str| back.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let host = integration.0.simulators.endpoints().amocrm.replace("http://", "");
    assert_eq!((of("state"), of("referer")), ("s1".into(), host));
    let (status, tokens) = integration.code(&of("code")).await;
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &"Bearer".into(), &86_400.into()));
    assert_eq!(integration.account(&tokens).await, 200);
    let (status, refusal) = integration.code(&of("code")).await;
    assert_eq!((status, &refusal["hint"]), (400, &"Authorization code has been revoked".into()));
    let (status, refusal) = integration.code("def502").await;
    assert_eq!((status, &refusal["hint"]), (400, &"Cannot decrypt the authorization code".into()));
}

#[tokio::test]
async fn an_old_pair_goes_when_the_new_one_is_used() {
    let integration = Integration::new().await;
    let first = integration.let_in().await;
    let (_, lost) = integration.refresh(&first).await;
    let (status, second) = integration.refresh(&first).await;
    assert_eq!(status, 200, "the answer before was lost");
    assert_eq!(integration.refresh(&lost).await.0, 400);
    assert_eq!(integration.account(&second).await, 200);
    assert_eq!(integration.account(&first).await, 401);
    let (status, refusal) = integration.refresh(&first).await;
    assert_eq!((status, &refusal["hint"]), (400, &"Token has been revoked".into()));
    integration.0.simulators.amocrm_grants().exchange_once_only();
    assert_eq!(integration.refresh(&second).await.0, 200);
    assert_eq!(integration.refresh(&second).await.0, 400);
}

#[tokio::test]
async fn expiry_revocation_refusal_and_a_move_are_as_the_sheet_says() {
    let integration = Integration::new().await;
    let grants = integration.0.simulators.amocrm_grants().clone();
    let tokens = integration.let_in().await;
    grants.expire_access_tokens();
    assert_eq!(integration.account(&tokens).await, 401);
    let (_, tokens) = integration.refresh(&tokens).await;
    let moved = integration.0.simulators.endpoints().amocrm.replace("http://127.0.0.1", "localhost");
    grants.move_to(&moved);
    assert_eq!((integration.account(&tokens).await, integration.refresh(&tokens).await.0), (401, 401));
    let url = format!("{}/oauth2/account/current/subdomain", integration.0.simulators.endpoints().amocrm);
    let asked = integration.0.client.get(url).header("x-refresh-token", tokens["refresh_token"].as_str().unwrap());
    assert_eq!(asked.send().await.unwrap().json::<Value>().await.unwrap()["domain"], moved);
    grants.refuse(true);
    let back = integration.back().await;
    assert!(back.contains(&("error".into(), "access_denied".into())) && back.iter().all(|(name, _)| name != "code"));
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let integration = Integration::new().await;
    let (status, refusal) = integration.ask(json!({"client_secret": "wrong", "grant_type": "refresh_token"})).await;
    assert_eq!((status, &refusal["hint"]), (400, &"Check the `client_id` parameter".into()));
}
