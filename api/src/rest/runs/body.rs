use std::collections::BTreeMap;

use application::ports::read_models::{FailureView, Found, Page, RunStatus, RunView, StepStatus, StepView};
use chrono::{DateTime, TimeDelta, Utc};
use domain::job_run::{AiCalls, AiUse, Step};
use domain::money::Cost;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use crate::cursor::encode;
use crate::rest::body::{KindBody, PeriodBody};

/// One page of runs.
#[derive(Object)]
pub(super) struct RunList {
    /// The runs, newest first.
    items: Vec<RunBody>,
    /// The `cursor` of the next page; `null` on the last one.
    #[oai(nullable)]
    next: Option<String>,
    /// Events of the company that could not be shown in this list yet; normally 0. Runs may be missing or out of date.
    parked: u64,
}

impl From<Page<RunView>> for RunList {
    fn from(page: Page<RunView>) -> Self {
        Self {
            items: page.items.into_iter().map(RunBody::from).collect(),
            next: page.next.map(encode),
            parked: page.parked,
        }
    }
}

/// A run of the report pipeline.
#[derive(Object)]
#[oai(rename = "Run", example)]
pub(super) struct RunBody {
    /// Its id.
    id: Uuid,
    /// What its report is about.
    kind: KindBody,
    /// The time that it covers.
    period: PeriodBody,
    /// Where it stands.
    status: RunStatusBody,
    /// When it started.
    started_at: DateTime<Utc>,
    /// When it ended; `null` while it is running.
    #[oai(nullable)]
    finished_at: Option<DateTime<Utc>>,
    /// What the AI did for it; `null` before its first answer, and in runs of earlier releases.
    #[oai(nullable)]
    ai: Option<AiBody>,
    /// Its eight steps, in their order.
    steps: Vec<StepBody>,
}

impl From<RunView> for RunBody {
    fn from(run: RunView) -> Self {
        Self {
            id: run.id.uuid(),
            kind: run.kind.into(),
            period: run.period.into(),
            status: run.status.into(),
            started_at: run.started_at,
            finished_at: run.finished_at,
            ai: run.ai.map(AiBody::from),
            steps: run.steps.into_iter().map(StepBody::from).collect(),
        }
    }
}

/// A run, and whether it may be out of date.
#[derive(Object)]
#[oai(rename = "FoundRun", example)]
pub(super) struct FoundRun {
    /// The run.
    #[oai(flatten)]
    run: RunBody,
    /// Events of the company that could not be shown in its runs yet; normally 0. This run may be out of date.
    parked: u64,
}

impl From<Found<RunView>> for FoundRun {
    fn from(Found { item, parked }: Found<RunView>) -> Self {
        Self { run: item.into(), parked }
    }
}

impl Example for FoundRun {
    fn example() -> Self {
        Self { run: RunBody::example(), parked: 0 }
    }
}

/// Where a run stands. `failed` and `cancelled` are final, like `completed`.
#[derive(Enum)]
#[oai(rename = "RunStatus", rename_all = "snake_case")]
enum RunStatusBody {
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl From<RunStatus> for RunStatusBody {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Running => Self::Running,
            RunStatus::Completed => Self::Completed,
            RunStatus::Failed => Self::Failed,
            RunStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// What the AI did for a run, over all attempts whose calls are known.
#[derive(Object)]
#[oai(rename = "AiUse")]
struct AiBody {
    /// The version of the prompt that the last attempt used whose calls are known; `/api/v1/integrations/ai/prompts` lists them.
    prompt_version: u32,
    /// The model that it asked.
    model: String,
    /// Calls of the AI.
    calls: u64,
    /// Tokens that the model read.
    input_tokens: u64,
    /// Tokens that it wrote.
    output_tokens: u64,
    /// What that cost by the prices in the settings of the AI then; `null` where none were entered, where it is not known of some
    /// attempt, or without the right `finance:view_costs`.
    #[oai(nullable)]
    cost: Option<CostBody>,
}

/// An amount of money.
#[derive(Object)]
#[oai(rename = "Cost")]
struct CostBody {
    /// In which currency (ISO 4217).
    currency: String,
    /// How much, in its minor units, rounded up.
    amount_minor: u64,
}

impl From<AiUse> for AiBody {
    fn from(AiUse { prompt_version, model, total, cost }: AiUse) -> Self {
        let cost = cost.map(|Cost { currency, amount_minor }| CostBody { currency: currency.into(), amount_minor });
        let AiCalls { calls, input_tokens, output_tokens } = total;
        Self { prompt_version, model, calls, input_tokens, output_tokens, cost }
    }
}

/// A step of a run.
#[derive(Object)]
#[oai(rename = "Step")]
struct StepBody {
    /// Its place, from 1.
    number: u32,
    /// Which step it is.
    name: StepName,
    /// Where it stands.
    status: StepStatusBody,
    /// How many attempts have begun.
    attempts: u32,
    /// How long the last attempt took, in milliseconds; `null` before its end.
    #[oai(nullable)]
    elapsed_ms: Option<u64>,
    /// What it did, such as `deals: 300`.
    counts: BTreeMap<String, u64>,
    /// Why the last attempt failed; `null` where it did not.
    #[oai(nullable)]
    error: Option<StepError>,
    /// When the next attempt may begin; `null` where none is waiting.
    #[oai(nullable)]
    retry_at: Option<DateTime<Utc>>,
}

impl From<StepView> for StepBody {
    fn from(step: StepView) -> Self {
        Self {
            number: step.step.number(),
            name: step.step.into(),
            status: step.status.into(),
            attempts: step.attempts,
            elapsed_ms: step.elapsed_ms,
            counts: step.counts,
            error: step.failure.map(|FailureView { message, advice }| StepError { message, advice }),
            retry_at: step.retry_at,
        }
    }
}

/// The steps of the pipeline.
#[derive(Enum)]
#[oai(rename_all = "snake_case")]
enum StepName {
    FetchDeals,
    SaveDeals,
    FetchChats,
    SaveChats,
    BuildPackage,
    Analyse,
    PersistReport,
    Notify,
}

impl From<Step> for StepName {
    fn from(step: Step) -> Self {
        match step {
            Step::FetchDeals => Self::FetchDeals,
            Step::SaveDeals => Self::SaveDeals,
            Step::FetchChats => Self::FetchChats,
            Step::SaveChats => Self::SaveChats,
            Step::BuildPackage => Self::BuildPackage,
            Step::Analyse => Self::Analyse,
            Step::PersistReport => Self::PersistReport,
            Step::Notify => Self::Notify,
        }
    }
}

/// Where a step stands. `waiting`: not in turn yet, or between two attempts. `uncertain`: cut off after its effect was
/// asked for, so that nobody knows whether it happened.
#[derive(Enum)]
#[oai(rename = "StepStatus", rename_all = "snake_case")]
enum StepStatusBody {
    Waiting,
    Running,
    Completed,
    Failed,
    Uncertain,
    Cancelled,
}

impl From<StepStatus> for StepStatusBody {
    fn from(status: StepStatus) -> Self {
        match status {
            StepStatus::Waiting => Self::Waiting,
            StepStatus::Running => Self::Running,
            StepStatus::Completed => Self::Completed,
            StepStatus::Failed => Self::Failed,
            StepStatus::Uncertain => Self::Uncertain,
            StepStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// Why a step failed.
#[derive(Object)]
struct StepError {
    /// What happened.
    message: String,
    /// What to do about it.
    advice: String,
}

impl Example for RunBody {
    fn example() -> Self {
        let at = |seconds: i64| DateTime::UNIX_EPOCH + TimeDelta::seconds(1_780_344_000 + seconds);
        let step = |step: Step| StepBody {
            number: step.number(),
            name: step.into(),
            status: StepStatusBody::Waiting,
            attempts: 0,
            elapsed_ms: None,
            counts: BTreeMap::new(),
            error: None,
            retry_at: None,
        };
        let mut steps: Vec<StepBody> = Step::ALL.map(step).into();
        steps[0] = StepBody {
            status: StepStatusBody::Completed,
            attempts: 1,
            elapsed_ms: Some(840),
            counts: BTreeMap::from([("deals".into(), 300)]),
            ..step(Step::FetchDeals)
        };
        steps[1] = StepBody {
            attempts: 1,
            elapsed_ms: Some(5012),
            error: Some(StepError {
                message: "Supabase: it did not answer in time".into(),
                advice: "Nothing to do yet: it is tried again.".into(),
            }),
            retry_at: Some(at(12)),
            ..step(Step::SaveDeals)
        };
        Self {
            id: Uuid::from_u128(0x0197_b1c0_5f6e_7c3a_9d55_2f6c_1a7e_4b13),
            kind: KindBody::Daily,
            period: PeriodBody { from: at(-90_000), to: at(-3_600) },
            status: RunStatusBody::Running,
            started_at: at(0),
            finished_at: None,
            ai: None,
            steps,
        }
    }
}
