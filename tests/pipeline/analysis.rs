//! What the AI is asked decides what the report says; what it answers is checked.

use domain::integration::AiProvider;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, AiChoice, TestApp};

async fn report(owner: &Actor) -> Value {
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let id = reports["items"][0]["id"].as_str().unwrap().to_owned();
    owner.get(&format!("/api/v1/reports/{id}")).await.expect(200)
}

/// An answer of Gemini's with this text.
pub(crate) fn answer(text: &str) -> FaultKind {
    let body = json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15},
    });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    FaultKind::Status { status: 200, body: body.to_string(), headers }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_twice_is_a_clear_failure() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Gemini, Some("generateContent"), answer(r#"{"headline": "All is well"}"#), None);
    let run = owner.run_report(app.days()).await;
    run.assert_failed_at("analyse");
    let (message, advice) = run.error("analyse");
    assert!(message.contains("did not have the expected form, twice") && message.contains("/required"), "{message}");
    assert!(advice.contains("Settings → AI"), "{advice}");
    assert_eq!((run.attempts("analyse"), app.calls(Service::Gemini, "generateContent").len()), (1, 2));
    assert_eq!((app.simulators.row_count("synkro_reports"), app.simulators.telegram_messages().len()), (0, 0));
}

#[tokio::test]
async fn one_answer_that_does_not_fit_is_asked_to_be_mended() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Gemini, Some("generateContent"), answer("Sorry, here is your report:"), Some(1));
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    assert_eq!((run.attempts("analyse"), run.count("analyse", "calls")), (1, 2));
}

/// Seen to fail without the check of cited ids: the invented dialogue was in the report.
#[tokio::test]
async fn a_dialogue_that_the_ai_invents_is_not_reported() {
    let (app, _, owner) = TestApp::start().await;
    let invented = json!({
        "headline": "A day", "summary": "It was one.", "findings": [], "recommendations": [],
        "topics": [{"name": "Ghosts", "dialogue_ids": ["no-such-dialogue"]}],
    });
    app.fault(Service::Gemini, Some("generateContent"), answer(&invented.to_string()), None);
    let run = owner.run_report(app.days()).await;
    run.assert_failed_at("analyse");
    assert!(run.error("analyse").0.contains("dialogue ids are not among those of the package"));
}

/// The simulator derives its answer from the question, so that a report on other dialogues must say something else,
/// and may cite none but its own.
#[tokio::test]
async fn another_package_makes_another_report() {
    let (app, _, owner) = TestApp::start().await;
    let (first, last) = app.days();
    owner.run_report((first, first)).await.assert_completed();
    let of_first_day = report(&owner).await;
    owner.run_report((last, last)).await.assert_completed();
    let of_last_day = report(&owner).await;
    let cited = |report: &Value| -> Vec<String> {
        let lists = [&report["narrative"]["topics"], &report["narrative"]["findings"]];
        let items = lists.into_iter().flat_map(|list| list.as_array().unwrap());
        let ids = items.flat_map(|item| item["dialogue_ids"].as_array().unwrap());
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    assert_ne!(of_first_day["report"]["summary"], of_last_day["report"]["summary"]);
    assert_ne!(of_first_day["report"]["metrics"], of_last_day["report"]["metrics"]);
    let (of_first, of_last) = (cited(&of_first_day), cited(&of_last_day));
    assert!(!of_first.is_empty() && !of_last.is_empty(), "{of_first:?} {of_last:?}");
    assert!(of_first.iter().all(|id| !of_last.contains(id)), "{of_first:?} {of_last:?}");
}

/// The numbers are computed here: the same whether the material was read at once or in parts.
#[tokio::test]
async fn a_package_larger_than_the_model_reads_is_split_and_merged() {
    let (whole, _, owner) = TestApp::start().await;
    owner.run_report(whole.days()).await.assert_completed();
    let at_once = report(&owner).await;

    let ai = AiChoice { input_token_limit: Some(4_000), ..AiChoice::default() };
    let (app, _, owner) = TestApp::build().ai(ai).start().await;
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    let calls = run.count("analyse", "calls");
    assert!(calls >= 4, "{calls} calls are no split and a merge");
    assert_eq!(app.calls(Service::Gemini, "generateContent").len() as u64, calls);
    let in_parts = report(&owner).await;
    assert_eq!(in_parts["report"]["metrics"], at_once["report"]["metrics"]);
    assert!(!in_parts["narrative"]["topics"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn any_openai_compatible_provider_will_do() {
    let ai = AiChoice { provider: AiProvider::OPENAI_COMPATIBLE, ..AiChoice::default() };
    let (app, _, owner) = TestApp::build().ai(ai).start().await;
    owner.run_report(app.days()).await.assert_completed();
    assert_eq!(report(&owner).await["report"]["model"], "local-large");
    assert!(app.calls(Service::Gemini, "").is_empty());
    assert_eq!(app.calls(Service::Openai, "chat/completions").len(), 1);
}
