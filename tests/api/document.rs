//! Every operation of `docs/openapi.json`, called as the document describes it.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

/// Operations that need no token. A new one is added here on purpose, or needs a token.
const PUBLIC: [&str; 5] = ["get_health", "get_healthcheck", "get_metrics", "get_readiness", "sign_in"];

struct Operation {
    id: String,
    method: Method,
    path: String,
    responses: Value,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                responses: operation["responses"].clone(),
            });
        }
    }
    assert!(operations.len() >= 11, "the document has lost operations");
    operations
}

impl Operation {
    async fn call(&self, actor: &Actor, id: &str, body: &Value) -> Answer {
        let request = actor.request(self.method.clone(), &self.path.replace("{id}", id));
        let request = if self.method == Method::GET { request } else { request.json(body) };
        actor.send(request).await
    }

    /// Fails unless the document knows the answer: its status, and the form of its body.
    fn assert_documented(&self, answer: &Answer) {
        let documented = &self.responses[answer.status.to_string()];
        assert!(documented.is_object(), "{} answers {}, which is not documented", self.id, answer.status);
        let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
        assert!(documented["content"][kind].is_object(), "{} answers {} as {kind}", self.id, answer.status);
        if answer.status >= 400 && self.id != "get_readiness" {
            answer.any_problem();
        }
        for name in documented["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            let required = documented["headers"][name]["required"] == true;
            assert!(!required || answer.header(name).is_some(), "{} answers without {name}", self.id);
        }
    }
}

/// Seen to fail with an operation that forgot to ask for its user.
#[tokio::test]
async fn whatever_is_not_on_the_list_needs_a_token() {
    let (_app, anonymous, _) = TestApp::start().await;
    let mut open = Vec::new();
    for operation in operations() {
        let answer = operation.call(&anonymous, "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10", &json!({})).await;
        operation.assert_documented(&answer);
        if PUBLIC.contains(&operation.id.as_str()) {
            open.push(operation.id);
        } else {
            answer.problem(401, "token.missing");
            operation.call(&anonymous.with_token("x.y.z"), "x", &Value::Null).await.problem(401, "token.refused");
        }
    }
    open.sort();
    assert_eq!(open, PUBLIC, "the list of public operations names one that is gone");
}

#[tokio::test]
async fn every_answer_is_documented() {
    let (app, anonymous, owner) = TestApp::start().await;
    let run = owner.run_report(app.days()).await;
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let report = reports["items"][0]["id"].as_str().unwrap();
    let (user, stranger) = (app.user().await, app.other_tenant().await);
    let missing = "0197b1c0-5f6e-7c3a-9d55-2f6c1a7e4b10";
    let bodies = [json!({}), json!([]), json!({"from": app.days().0, "to": app.days().1}), json!("text")];
    for operation in operations() {
        for actor in [&anonymous, &owner, &user, &stranger] {
            for id in [run.id(), report, missing, "42"] {
                for body in &bodies {
                    let answer = operation.call(actor, id, body).await;
                    assert!(answer.status != 500, "{} fails: {}", operation.id, answer.text);
                    operation.assert_documented(&answer);
                    if operation.method == Method::GET {
                        break;
                    }
                }
                if !operation.path.contains("{id}") {
                    break;
                }
            }
        }
    }
}
