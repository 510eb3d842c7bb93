use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use domain::ids::{AttemptId, RunId};
use domain::job_run::{Current, RetryPolicy, Run, Step};
use domain::metrics::{Dialogue, Outcome, Sender, Utterance, compute};
use domain::money::TokenPrice;
use domain::narrative::{Finding, Narrative, Topic};
use domain::period::DayBorder;
use domain::report::ReportKind;
use domain::values::ContentHash;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::AnswerCheck;
use super::*;
use crate::error::PortError;
use crate::ports::providers::ModelInfo;
use crate::ports::services::UpstreamError;

fn dialogue(id: usize, text: &str) -> Dialogue {
    let message = Utterance { at: "2026-06-01T09:00:00Z".parse().unwrap(), from: Sender::Customer, text: text.into() };
    let messages = vec![message];
    Dialogue { id: id.to_string(), agent: None, outcome: Outcome::Open, language: "en".into(), messages }
}

fn narrative(id: &str) -> Narrative {
    Narrative {
        headline: "Headline".into(),
        summary: "Summary".into(),
        topics: vec![Topic { name: "Topic".into(), dialogue_ids: vec![id.into()] }],
        findings: vec![Finding { title: "Title".into(), detail: "Detail".into(), dialogue_ids: vec![] }],
        recommendations: vec!["Do".into()],
    }
}

/// An analyst whose answers come from a function over the material that it was asked about.
struct Answering {
    limit: u32,
    answer: fn(usize, &Value) -> String,
    asked: Mutex<Vec<Value>>,
}

impl Answering {
    fn new(limit: u32, answer: fn(usize, &Value) -> String) -> Self {
        Self { limit, answer, asked: Mutex::default() }
    }

    fn tasks(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| asked["task"].as_str().unwrap().to_owned()).collect()
    }
}

#[async_trait]
impl Analyst for Answering {
    async fn input_token_limit(&self) -> Result<u32, UpstreamError> {
        Ok(self.limit)
    }

    async fn complete(&self, prompt: &Prompt) -> Result<Completion, UpstreamError> {
        let (_, material) = prompt.user.split_once("PACKAGE:\n").unwrap();
        let material: Value = serde_json::from_str(material).unwrap();
        let mut asked = self.asked.lock().unwrap();
        let text = (self.answer)(asked.len(), &material);
        asked.push(material);
        Ok(Completion { text, model: "m".into(), input_tokens: 10, output_tokens: 5 })
    }

    async fn models(&self) -> Result<Vec<ModelInfo>, UpstreamError> {
        panic!("an analysis chooses no model")
    }

    async fn check(&self) -> Result<(), UpstreamError> {
        panic!("an analysis checks nothing")
    }
}

/// Remembers answers, as the staging store does.
#[derive(Default)]
struct Memory(Mutex<HashMap<Vec<u8>, Vec<u8>>>);

#[async_trait]
impl Staging for Memory {
    async fn put(&self, _: TenantId, _: &[u8]) -> Result<ContentHash, PortError> {
        Err(PortError::internal("an analysis stages nothing itself"))
    }

    async fn get(&self, _: TenantId, _: &ContentHash) -> Result<Option<Vec<u8>>, PortError> {
        Ok(None)
    }

    async fn remember(&self, _: TenantId, question: &[u8], answer: &[u8]) -> Result<(), PortError> {
        self.0.lock().unwrap().insert(question.to_vec(), answer.to_vec());
        Ok(())
    }

    async fn recall(&self, _: TenantId, question: &[u8]) -> Result<Option<Vec<u8>>, PortError> {
        Ok(self.0.lock().unwrap().get(question).cloned())
    }
}

async fn analyse(analyst: &Answering, memory: &Memory, dialogues: Vec<Dialogue>) -> Result<Analysed, StepError> {
    metered(&Meter::apart(), analyst, memory, dialogues).await
}

async fn metered(
    meter: &Meter,
    analyst: &Answering,
    memory: &Memory,
    dialogues: Vec<Dialogue>,
) -> Result<Analysed, StepError> {
    let brief = Brief {
        language: Language::English,
        period: Period { from: "2026-06-01T00:00:00Z".parse().unwrap(), to: "2026-06-02T00:00:00Z".parse().unwrap() },
        wishes: String::new(),
    };
    let package = Package { metrics: compute(&dialogues, chrono_tz::UTC), dialogues };
    let tenant = TenantId::from(Uuid::from_u128(1));
    Analysis::new(analyst, memory, tenant, brief, "m".into(), meter).of(&package).await
}

/// Cites the first dialogue that it was given, or the first one that a part cites.
fn honest(_: usize, material: &Value) -> String {
    let id = material.pointer("/dialogues/0/id").or_else(|| material.pointer("/parts/0/topics/0/dialogue_ids/0"));
    serde_json::to_string(&narrative(id.unwrap().as_str().unwrap())).unwrap()
}

#[tokio::test]
async fn a_small_package_is_one_question() {
    let analyst = Answering::new(100_000, honest);
    let meter = Meter::apart();
    metered(&meter, &analyst, &Memory::default(), vec![dialogue(1, "Hello")]).await.unwrap();
    assert_eq!(analyst.tasks(), ["analyse"]);
    assert_eq!(meter.total(), AiCalls { calls: 1, input_tokens: 10, output_tokens: 5 });
}

#[tokio::test]
async fn a_large_package_is_split_and_merged_and_nothing_is_left_out() {
    let analyst = Answering::new(8_000, honest);
    let dialogues: Vec<Dialogue> = (1..=60).map(|id| dialogue(id, &"word ".repeat(200))).collect();
    analyse(&analyst, &Memory::default(), dialogues).await.unwrap();
    let asked = analyst.asked.lock().unwrap();
    assert!(asked.len() > 3, "{} questions", asked.len());
    assert_eq!(asked.last().unwrap()["task"], "merge");
    let ids = asked.iter().filter_map(|asked| asked["dialogues"].as_array()).flatten();
    let ids: HashSet<&str> = ids.map(|dialogue| dialogue["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 60);
}

#[tokio::test]
async fn a_dialogue_longer_than_the_limit_goes_on_under_the_same_id() {
    let analyst = Answering::new(8_000, honest);
    let text = (0..8_000).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
    analyse(&analyst, &Memory::default(), vec![dialogue(1, &text)]).await.unwrap();
    let asked = analyst.asked.lock().unwrap();
    let messages = asked.iter().filter_map(|asked| asked["dialogues"].as_array()).flatten();
    let texts = messages.flat_map(|dialogue| dialogue["messages"].as_array().unwrap());
    let joined: String = texts.map(|message| message["text"].as_str().unwrap()).collect();
    assert_eq!(joined, text);
}

#[tokio::test]
async fn a_model_that_reads_too_little_is_a_clear_failure() {
    let analyst = Answering::new(1_000, honest);
    let dialogues: Vec<Dialogue> = (1..=60).map(|id| dialogue(id, &"word ".repeat(200))).collect();
    let Err(StepError::Failed(failure)) = analyse(&analyst, &Memory::default(), dialogues).await else {
        panic!("must fail")
    };
    assert!(failure.message.contains("reads too little"), "{}", failure.message);
}

#[tokio::test]
async fn a_bad_answer_is_repaired_once() {
    let analyst = Answering::new(100_000, |asked, material| match asked {
        0 => "{\"headline\": 1}".into(),
        _ => honest(asked, material),
    });
    let meter = Meter::apart();
    metered(&meter, &analyst, &Memory::default(), vec![dialogue(1, "Hello")]).await.unwrap();
    assert_eq!(meter.total().calls, 2);
}

#[tokio::test]
async fn two_bad_answers_are_a_clear_failure() {
    let analyst = Answering::new(100_000, |_, _| serde_json::to_string(&narrative("99")).unwrap());
    let meter = Meter::apart();
    let analysed = metered(&meter, &analyst, &Memory::default(), vec![dialogue(1, "Hello")]).await;
    let Err(StepError::Failed(failure)) = analysed else { panic!("must fail") };
    assert_eq!(meter.total().calls, 2, "both were paid for");
    assert!(failure.message.contains("1 dialogue ids are not among those"), "{}", failure.message);
    assert!(failure.advice.contains("another model"), "{}", failure.advice);
    assert_eq!(analyst.tasks().len(), 2);
}

#[tokio::test]
async fn a_refused_answer_is_not_kept() {
    let memory = Memory::default();
    let wrong = Answering::new(100_000, |_, _| "no JSON".into());
    analyse(&wrong, &memory, vec![dialogue(1, "Hello")]).await.unwrap_err();
    analyse(&Answering::new(100_000, honest), &memory, vec![dialogue(1, "Hello")]).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_was_paid_for_is_not_paid_for_again() {
    let (analyst, memory, meter) = (Answering::new(100_000, honest), Memory::default(), Meter::apart());
    let first = analyse(&analyst, &memory, vec![dialogue(1, "Hello")]).await.unwrap();
    let again = metered(&meter, &analyst, &memory, vec![dialogue(1, "Hello")]).await.unwrap();
    assert_eq!((analyst.tasks().len(), meter.total()), (1, AiCalls::default()));
    assert_eq!(first, again);
}

/// A run whose analysis is at its n-th attempt, with the calls of some attempts recorded.
fn run_at(attempt: u32, metered: &[u32]) -> Run {
    let at = "2026-06-02T01:00:00Z".parse().unwrap();
    let run_id = RunId::from(Uuid::from_u128(5));
    Run {
        run_id,
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        kind: ReportKind::Daily,
        period: Period { from: at, to: at },
        day: DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse().unwrap() },
        policy: RetryPolicy::default(),
        done: BTreeMap::new(),
        ai: None,
        metered: metered.iter().map(|number| AttemptId::of(run_id, Step::Analyse, *number)).collect(),
        step: Step::Analyse,
        begun: attempt,
        failed: 0,
        lost: 0,
        current: Current::Waiting { not_before: at },
    }
}

fn meter_of(attempt: u32, recorded: &[u32]) -> Meter {
    let run = run_at(attempt, recorded);
    Meter::of_attempt(&run, AttemptId::of(run.run_id, Step::Analyse, attempt))
}

/// What a dead worker paid for is counted by the next attempt, and by one attempt only. Seen to fail: with answers that are
/// never taken over.
#[tokio::test]
async fn the_calls_of_a_lost_attempt_are_counted_once() {
    let (analyst, memory) = (Answering::new(100_000, honest), Memory::default());
    let asked = || vec![dialogue(1, "Hello")];
    let counted = async |meter: Meter| {
        metered(&meter, &analyst, &memory, asked()).await.unwrap();
        meter.total().calls
    };
    assert_eq!(counted(meter_of(1, &[])).await, 1);
    assert_eq!(counted(meter_of(2, &[])).await, 1, "the first attempt was lost");
    assert_eq!(counted(meter_of(3, &[2])).await, 0, "the second one has told of it");
    assert_eq!(analyst.tasks().len(), 1);
}

/// Seen to fail: with every answer that is remembered counted.
#[tokio::test]
async fn the_calls_of_an_attempt_that_failed_are_not_counted_again() {
    let (analyst, memory) = (Answering::new(100_000, honest), Memory::default());
    let (first, second) = (meter_of(1, &[]), meter_of(2, &[1]));
    metered(&first, &analyst, &memory, vec![dialogue(1, "Hello")]).await.unwrap();
    metered(&second, &analyst, &memory, vec![dialogue(1, "Hello")]).await.unwrap();
    assert_eq!((first.total().calls, second.total().calls), (1, 0));
}

/// Every question has tokens: a provider that tells of none has not told what the call cost.
#[test]
fn no_cost_is_told_where_the_provider_did_not_tell_what_a_call_took() {
    let meter = meter_of(1, &[]);
    let price = TokenPrice { currency: "USD".parse().unwrap(), input_minor: 30, output_minor: 250 };
    meter.asks(Terms { prompt_version: 3, model: "m".into(), price: Some(price.clone()) });
    meter.count(AiCalls::default());
    meter.count(one_call(Tokens { input: 10, output: 5 }));
    assert_eq!(meter.terms().unwrap().price, Some(price));
    meter.count(one_call(Tokens { input: 0, output: 5 }));
    meter.count(one_call(Tokens { input: 10, output: 5 }));
    assert_eq!(meter.terms(), Some(Terms { prompt_version: 3, model: "m".into(), price: None }));
}

/// A provider may say what it likes, and the sums are kept in the database.
#[test]
fn a_call_is_taken_to_have_used_so_many_tokens_at_most() {
    let most = 1 << 32;
    let within = one_call(Tokens { input: most, output: most - 1 });
    assert_eq!(within, AiCalls { calls: 1, input_tokens: most, output_tokens: most - 1 });
    let absurd = one_call(Tokens { input: u64::MAX, output: most + 1 });
    assert_eq!(absurd, AiCalls { calls: 1, input_tokens: most, output_tokens: most });
}

#[test]
fn answers_are_checked_field_by_field() {
    let check = AnswerCheck::new();
    let known = HashSet::from(["1"]);
    let good = serde_json::to_string(&narrative("1")).unwrap();
    assert!(check.narrative(&good, &known).is_ok());
    assert!(check.narrative(&format!("```json\n{good}\n```"), &known).is_ok(), "a fence is no harm");
    let mut extra: Value = serde_json::from_str(&good).unwrap();
    extra["score"] = json!(5);
    let nul = check.narrative(&good.replace("Headline", "Head\\u0000line"), &known).unwrap();
    assert_eq!(nul.headline, "Headline", "the database cannot keep a NUL");
    let long = good.replace("Summary", &"Ann ".repeat(2_000));
    let rejection = check.narrative(&long, &known).unwrap_err();
    assert!(rejection.problems[0].contains("/summary") && !rejection.problems[0].contains("Ann"), "{rejection:?}");
    for bad in ["", "text", "[]", &extra.to_string(), &good.replace("\"Headline\"", "\"\"")] {
        assert!(check.narrative(bad, &known).is_err(), "{bad}");
    }
}
