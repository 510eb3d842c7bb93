//! Every operation of `docs/openapi.json`, called as the document describes it and otherwise.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

use crate::operations::{Operation, operations};

async fn call(operation: &Operation, actor: &Actor, id: &str, body: &Value) -> Answer {
    let path = operation.path.replace("{id}", id).replace("{session_id}", id);
    let request = actor.request(operation.method.clone(), &path);
    actor.send(if operation.method == Method::GET { request } else { request.json(body) }).await
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
                    let answer = call(&operation, actor, id, body).await;
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
