//! What the AI did for a run is told with the run: every call that was answered, what it cost, and by which prompt.

use std::time::Duration;

use domain::integration::{IntegrationKind, IntegrationSettings, TokenPrices};
use domain::job_run::AiCalls;
use domain::money::TokenPrice;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, AiChoice, RunAnswer, TestApp};

use super::accounts::refusal;
use super::analysis::answer;

/// Odd enough that a test which mixes them up is wrong.
fn prices(input: u64, output: u64) -> TokenPrices {
    TokenPrices { input_price_minor: Some(input), output_price_minor: Some(output), price_currency: Some("USD".into()) }
}

fn with_prices(input: u64, output: u64) -> AiChoice {
    AiChoice { prices: prices(input, output), ..AiChoice::default() }
}

/// Saves the AI's settings with another prompt and other prices.
async fn change(app: &TestApp, new_prompt: &str, new_prices: TokenPrices) {
    let mut settings = app.settings(IntegrationKind::Ai);
    if let IntegrationSettings::Ai { prompt, prices, .. } = &mut settings {
        new_prompt.clone_into(prompt);
        *prices = new_prices;
    }
    app.connect(settings, app.secret(IntegrationKind::Ai)).await;
}

fn calls(ai: &Value) -> AiCalls {
    let count = |name: &str| ai[name].as_u64().expect("a count");
    AiCalls { calls: count("calls"), input_tokens: count("input_tokens"), output_tokens: count("output_tokens") }
}

fn cost(ai: &Value, price: &TokenPrices) -> Value {
    let AiCalls { input_tokens, output_tokens, .. } = calls(ai);
    let price: TokenPrice = price.price().unwrap();
    json!({"currency": "USD", "amount_minor": price.of(input_tokens, output_tokens).amount_minor})
}

async fn report_of(owner: &Actor, run: &RunAnswer) -> Value {
    let reports = owner.get("/api/v1/reports").await.expect(200);
    let of_run = reports["items"].as_array().unwrap().iter().find(|report| report["run_id"] == run.id());
    of_run.expect("a report").clone()
}

#[tokio::test]
async fn calls_of_attempts_that_failed_are_counted_with_the_rest() {
    let (app, _, owner) = TestApp::build().ai(with_prices(7_000_000, 31_000_000)).start().await;
    app.fault(Service::Gemini, Some("generateContent"), answer("Sorry, here is your report:"), Some(1));
    app.fault(Service::Gemini, Some("generateContent"), refusal(429, &[]), Some(1));
    let run = owner.run_report(app.days()).await;
    run.assert_completed();
    assert_eq!((run.attempts("analyse"), run.count("analyse", "calls")), (2, 1));
    let ai = &run.0["ai"];
    let AiCalls { calls, input_tokens, output_tokens } = calls(ai);
    assert_eq!(calls, 2, "{ai:#}");
    assert_eq!(input_tokens, 10 + run.count("analyse", "input_tokens"));
    assert_eq!(output_tokens, 5 + run.count("analyse", "output_tokens"));
    assert_eq!(ai["cost"], cost(ai, &prices(7_000_000, 31_000_000)));
    assert_eq!(owner.get("/api/v1/finance/costs").await.expect(200)["input_tokens"], input_tokens);
    assert_eq!(owner.get("/api/v1/runs").await.expect(200)["items"][0]["ai"], *ai);
}

#[tokio::test]
async fn what_a_failed_run_used_is_told_too() {
    let (app, _, owner) = TestApp::build().ai(with_prices(100_000, 100_000)).start().await;
    app.fault(Service::Gemini, Some("generateContent"), answer(r#"{"headline": "All is well"}"#), None);
    let run = owner.run_report(app.days()).await;
    run.assert_failed_at("analyse");
    let ai = &run.0["ai"];
    assert_eq!(calls(ai), AiCalls { calls: 2, input_tokens: 20, output_tokens: 10 });
    assert_eq!(ai["cost"], json!({"currency": "USD", "amount_minor": 3}));
}

/// Other prices change no run that was paid for, and without prices there is no cost.
#[tokio::test]
async fn a_cost_is_of_its_time_and_for_those_who_may_see_costs() {
    let (app, _, owner) = TestApp::build().ai(with_prices(1_000, 9_000)).start().await;
    let run = owner.run_report(app.days()).await;
    assert_eq!(run.0["ai"]["cost"], cost(&run.0["ai"], &prices(1_000, 9_000)));
    change(&app, "Look at how fast we answer.", TokenPrices::default()).await;
    assert_eq!(owner.run(run.id()).await.0["ai"], run.0["ai"]);
    let colleague = app.user().await;
    let seen = colleague.run(run.id()).await;
    assert_eq!((&seen.0["ai"]["cost"], &seen.0["ai"]["calls"]), (&Value::Null, &run.0["ai"]["calls"]));
    assert_eq!(colleague.get("/api/v1/runs").await.expect(200)["items"][0]["ai"]["cost"], Value::Null);
    let (first, _) = app.days();
    assert_eq!(owner.run_report((first, first)).await.0["ai"]["cost"], Value::Null);
}

/// All calls of an attempt go by the settings that it began with, and run and report name that version.
#[tokio::test]
async fn a_prompt_that_is_saved_meanwhile_is_for_the_next_run() {
    let ai = AiChoice { input_token_limit: Some(4_000), ..AiChoice::default() };
    let (app, _, owner) = TestApp::build().ai(ai).start().await;
    app.fault(Service::Gemini, Some("generateContent"), FaultKind::Delay(Duration::from_secs(2)), Some(1));
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| run.step_status("analyse") == "running").await;
    // The attempt has its settings once it asks.
    while !app.simulators.faults().waiting().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    change(&app, "Look at the prices.", TokenPrices::default()).await;
    let run = owner.ended_run(&id).await;
    run.assert_completed();
    assert_eq!((&run.0["ai"]["prompt_version"], &run.0["ai"]["model"]), (&json!(1), &json!("gemini-3.8-flash")));
    assert_eq!(report_of(&owner, &run).await["prompt_version"], 1);

    let next = owner.run_report(app.days()).await;
    assert_eq!((&next.0["ai"]["prompt_version"], next.count("analyse", "calls") > 0), (&json!(2), true));
    assert_eq!(report_of(&owner, &next).await["prompt_version"], 2);
    let prompts = owner.get("/api/v1/integrations/ai/prompts").await.expect(200);
    let used = prompts["items"].as_array().unwrap().iter().find(|prompt| prompt["version"] == 2).unwrap();
    assert_eq!(used["prompt"], "Look at the prices.");
}

#[tokio::test]
async fn a_step_that_is_repeated_names_the_version_that_it_used() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Gemini, Some("generateContent"), refusal(429, &[("retry-after", "3")]), Some(1));
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| !run.step("analyse")["error"].is_null()).await;
    change(&app, "Look at the prices.", TokenPrices::default()).await;
    let run = owner.ended_run(&id).await;
    run.assert_completed();
    assert_eq!((run.attempts("analyse"), &run.0["ai"]["prompt_version"]), (2, &json!(2)));
    assert_eq!(report_of(&owner, &run).await["prompt_version"], 2);
}
