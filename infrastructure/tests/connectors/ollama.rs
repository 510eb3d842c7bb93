//! A provider that has no stand-in: what its adapter asks, and what it makes of the answers.

use application::ports::services::{Analyst, Connectors, Prompt};
use domain::integration::{AiProvider, IntegrationSettings, SecretName};
use domain::job_run::FailureClass;
use serde_json::{Value, json};

use super::scripted::{Answer, Scripted};
use super::world::{account, connectors, quick};

const KEY: &str = "ollama-key-0123456789";

fn analyst(base: &str, limit: Option<u32>) -> Box<dyn Analyst> {
    let settings = IntegrationSettings::Ai {
        provider: AiProvider::try_from("ollama".to_owned()).unwrap(),
        base_url: format!("{base}/api").parse().unwrap(),
        model: "gpt-oss:120b".into(),
        prompt: String::new(),
        input_token_limit: limit,
        prices: domain::integration::TokenPrices::default(),
    };
    connectors(quick()).analyst(account(settings, SecretName::ApiKey, KEY)).unwrap()
}

fn described() -> Answer {
    let body = json!({"model_info": {"general.architecture": "gptoss", "gptoss.context_length": 131_072}});
    Answer::json("200 OK", &body.to_string())
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Seen to fail: without the size of the window.
#[tokio::test]
async fn a_question_says_how_much_is_to_be_read_and_what_the_answer_must_look_like() {
    let answer = json!({
        "model": "gpt-oss:120b", "message": {"role": "assistant", "content": "{\"headline\":\"Quiet\"}"},
        "done": true, "done_reason": "stop", "prompt_eval_count": 812, "eval_count": 41,
    });
    let server = Scripted::answering(vec![described(), Answer::json("200 OK", &answer.to_string())]).await;
    let schema = json!({"type": "object", "required": ["headline"]});
    let prompt = Prompt { system: "Be brief.".into(), user: "What happened?".into(), schema: schema.clone() };
    let completion = analyst(&server.base, Some(20_000)).complete(&prompt).await.unwrap();
    assert_eq!(completion.text, "{\"headline\":\"Quiet\"}");
    assert_eq!((completion.input_tokens, completion.output_tokens), (812, 41));
    assert_eq!(server.first_lines(), ["POST /api/show HTTP/1.1", "POST /api/chat HTTP/1.1"]);
    let asked = &server.requests()[1];
    assert!(asked.to_lowercase().contains(&format!("authorization: bearer {KEY}")), "{asked}");
    let asked = body(asked);
    assert_eq!((&asked["format"], &asked["options"]["num_ctx"]), (&schema, &json!(20_000)));
    assert_eq!((&asked["stream"], &asked["messages"][1]["content"]), (&json!(false), &json!("What happened?")));
}

#[tokio::test]
async fn the_model_s_own_limit_counts_where_the_company_names_none_or_a_larger_one() {
    for (chosen, expected) in [(None, 131_072), (Some(1_000_000), 131_072), (Some(20_000), 20_000)] {
        let server = Scripted::answering(vec![described()]).await;
        assert_eq!(analyst(&server.base, chosen).input_token_limit().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_missing_model_is_named_with_some_that_are_there() {
    let missing = Answer::json("404 Not Found", r#"{"error":"model 'gpt-oss:120b' not found"}"#);
    let models = Answer::json("200 OK", r#"{"models":[{"name":"llama3.3:70b"},{"name":"qwen3:32b"}]}"#);
    let server = Scripted::answering(vec![missing, models.clone()]).await;
    let error = analyst(&server.base, None).check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Permanent);
    assert!(error.message.contains("gpt-oss:120b") && error.advice.contains("qwen3:32b"), "{error:?}");

    let server = Scripted::answering(vec![models]).await;
    let names: Vec<_> = analyst(&server.base, None).models().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(
        (names, server.first_lines()),
        (vec!["llama3.3:70b".into(), "qwen3:32b".into()], vec!["GET /api/tags HTTP/1.1".to_owned()])
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_or_empty_is_a_lasting_failure_and_a_bad_key_is_told() {
    let answered = |content: &str, reason: &str| {
        let body = json!({"message": {"content": content}, "done_reason": reason});
        Answer::json("200 OK", &body.to_string())
    };
    let prompt = Prompt { system: String::new(), user: String::new(), schema: json!({}) };
    for (answer, told) in [(answered("{", "length"), "output limit"), (answered(" ", "stop"), "empty answer")] {
        let server = Scripted::answering(vec![described(), answer]).await;
        let error = analyst(&server.base, None).complete(&prompt).await.unwrap_err();
        assert_eq!(error.class, FailureClass::Permanent);
        assert!(error.message.contains(told), "{}", error.message);
    }
    let refusal = Answer::json("401 Unauthorized", r#"{"error":"unauthorized"}"#);
    let server = Scripted::answering(vec![refusal]).await;
    let error = analyst(&server.base, None).check().await.unwrap_err();
    assert_eq!(error.class, FailureClass::Auth);
    assert!(error.advice.contains("Settings → AI"), "{}", error.advice);
}
