use reqwest::RequestBuilder;
use serde_json::{Value, json};
use simulator::Limits;

use crate::{Stage, json as body, status, unlimited};

const LARGE: &str = "gemini-3.8-flash";
const SMALL: &str = "gemini-3.5-flash-lite";

fn package(ids: &[&str]) -> Value {
    let dialogue = |id: &&str| {
        json!({"id": id, "agent": null, "outcome": "open", "language": "en", "messages": [
            {"at": "2026-06-01T09:00:00Z", "from": "customer", "text": format!("A question on parcel {id}")},
        ]})
    };
    let period = json!({"from": "2026-06-01", "to": "2026-06-02"});
    let dialogues: Vec<Value> = ids.iter().map(dialogue).collect();
    json!({"task": "analyse", "language": "en", "period": period, "metrics": {}, "dialogues": dialogues})
}

fn prompt(ids: &[&str]) -> String {
    format!("Write a report.\nPACKAGE:\n{}", package(ids))
}

fn generate(stage: &Stage, model: &str, request: &Value) -> RequestBuilder {
    let url = format!("{}/models/{model}:generateContent", stage.simulators.endpoints().gemini);
    stage.client.post(url).header("x-goog-api-key", stage.accounts.gemini_key.expose()).json(request)
}

fn asked(text: &str, config: &Value) -> Value {
    json!({
        "systemInstruction": {"parts": [{"text": "You analyse."}]},
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": config,
    })
}

async fn report(stage: &Stage, ids: &[&str]) -> Value {
    let config = json!({"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}});
    let response = body(generate(stage, LARGE, &asked(&prompt(ids), &config))).await;
    assert_eq!(response["candidates"][0]["finishReason"], "STOP");
    serde_json::from_str(response["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_report_follows_from_the_dialogues_in_the_prompt() {
    let stage = Stage::unlimited().await;
    let all = report(&stage, &["d1", "d2", "d3"]).await;
    assert_eq!(all["topics"], json!([{"name": "parcel", "dialogue_ids": ["d1", "d2", "d3"]}]));
    let fewer = report(&stage, &["d1", "d3"]).await;
    assert_ne!(all, fewer);
    assert!(!fewer.to_string().contains("d2"));
}

#[tokio::test]
async fn both_providers_derive_the_same_report() {
    let stage = Stage::unlimited().await;
    let url = format!("{}/chat/completions", stage.simulators.endpoints().openai);
    let request = json!({
        "model": "local-large", "response_format": {"type": "json_object"},
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": prompt(&["d1"])}],
    });
    let key = stage.accounts.openai_key.expose();
    let response = body(stage.client.post(&url).bearer_auth(key).json(&request)).await;
    assert_eq!(response["choices"][0]["finish_reason"], "stop");
    let content = response["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(content).unwrap(), report(&stage, &["d1"]).await);
    let models =
        body(stage.client.get(format!("{}/models", stage.simulators.endpoints().openai)).bearer_auth(key)).await;
    assert_eq!(models["data"][0]["id"], "local-large");
}

#[tokio::test]
async fn models_are_listed_in_pages() {
    let stage = Stage::with(Limits { gemini_input_tokens: 50_000, ..unlimited() }).await;
    let base = format!("{}/models", stage.simulators.endpoints().gemini);
    let get = |url: String| stage.client.get(url).header("x-goog-api-key", stage.accounts.gemini_key.expose());
    let first = body(get(format!("{base}?pageSize=2"))).await;
    assert_eq!(first["models"].as_array().unwrap().len(), 2);
    assert_eq!(first["models"][0]["inputTokenLimit"], 50_000);
    let token = first["nextPageToken"].as_str().unwrap();
    let last = body(get(format!("{base}?pageSize=2&pageToken={token}"))).await;
    assert_eq!(last["models"][0]["supportedGenerationMethods"], json!(["embedContent"]));
    assert!(last.get("nextPageToken").is_none());
    assert_eq!(body(get(format!("{base}/{SMALL}"))).await["inputTokenLimit"], 32_768);
    assert_eq!(status(get(format!("{base}/gemini-0"))).await, 404);
}

#[tokio::test]
async fn too_much_input_is_refused_by_the_small_model_only() {
    let stage = Stage::unlimited().await;
    let long = asked(&"слово ".repeat(12_500), &json!({}));
    let refused = generate(&stage, SMALL, &long).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["status"], "INVALID_ARGUMENT");
    let taken = body(generate(&stage, LARGE, &long)).await;
    assert_eq!(taken["usageMetadata"]["promptTokenCount"], (12_500 * 11 + 12_usize).div_ceil(4));
}

#[tokio::test]
async fn output_ends_at_the_limit() {
    let stage = Stage::unlimited().await;
    let response = body(generate(&stage, LARGE, &asked(&prompt(&["d1"]), &json!({"maxOutputTokens": 10})))).await;
    assert_eq!(response["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(response["usageMetadata"]["candidatesTokenCount"], 10);
}

#[tokio::test]
async fn bad_requests_are_told_apart() {
    let stage = Stage::unlimited().await;
    let url = format!("{}/models/{LARGE}:generateContent", stage.simulators.endpoints().gemini);
    let request = asked("hi", &json!({}));
    let bad_key = stage.client.post(&url).header("x-goog-api-key", "AIzaWrong").json(&request).send().await.unwrap();
    assert_eq!(bad_key.status(), 400);
    assert_eq!(bad_key.json::<Value>().await.unwrap()["error"]["details"][0]["reason"], "API_KEY_INVALID");
    assert_eq!(status(stage.client.post(&url).json(&request)).await, 403);
    assert_eq!(status(generate(&stage, "gemini-0", &request)).await, 404);
    assert_eq!(status(generate(&stage, "gemini-embedding-001", &request)).await, 404);
    assert_eq!(status(generate(&stage, LARGE, &json!({"contents": []}))).await, 400);
    assert_eq!(status(generate(&stage, LARGE, &json!({"prompt": "hi"}))).await, 400);
    assert_eq!(status(generate(&stage, LARGE, &asked("hi", &json!({"responseJsonSchema": {}})))).await, 400);
}

#[tokio::test]
async fn the_quota_says_when_to_come_back() {
    let stage = Stage::with(Limits { gemini_per_minute: 1, ..unlimited() }).await;
    let request = asked("hi", &json!({}));
    assert_eq!(status(generate(&stage, LARGE, &request)).await, 200);
    let refused = generate(&stage, LARGE, &request).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let error = refused.json::<Value>().await.unwrap()["error"].clone();
    assert_eq!(error["status"], "RESOURCE_EXHAUSTED");
    let delay = error["details"][1]["retryDelay"].as_str().unwrap().strip_suffix('s').unwrap().parse::<f64>().unwrap();
    assert!((50.0..=60.0).contains(&delay), "{delay}");
}

#[tokio::test]
async fn openai_errors_have_their_envelope() {
    let stage = Stage::with(Limits { gemini_per_minute: 1, ..unlimited() }).await;
    let url = format!("{}/chat/completions", stage.simulators.endpoints().openai);
    let ask = |key: &str, model: &str, text: &str| {
        let message = json!({"role": "user", "content": text});
        stage.client.post(&url).bearer_auth(key).json(&json!({"model": model, "messages": [message]})).send()
    };
    let key = stage.accounts.openai_key.expose();
    let long = "x".repeat(4 * 32_768 + 1);
    for (key, model, text, expected, code) in [
        ("sk-wrong", "local-small", "hi", 401, "invalid_api_key"),
        (key, "gpt-0", "hi", 404, "model_not_found"),
        (key, "local-small", &long, 400, "context_length_exceeded"),
        (key, "local-small", "hi", 429, "rate_limit_exceeded"),
    ] {
        let response = ask(key, model, text).await.unwrap();
        assert_eq!(response.status(), expected);
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], code);
    }
}
