//! A large company: 10,000 deals and 100,000 messages from amoCRM and Radist through the pipeline's first four steps into
//! Supabase, and read back there. A worker does a real run; the stand-ins of the services are another process.
//!
//! Limits of the services: amoCRM is asked 5 times a second of the 7 that it bears, as in every installation. Radist publishes no
//! limit. The 3 calls a second that its contract sheet begins with would take an hour for the 10,000 chats, so the company's own
//! setting is at its highest, 1,000. Supabase has no limit.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::use_cases::{IntegrationInput, RunRequest};
use chrono::NaiveDate;
use domain::automation::Schedule;
use domain::ids::RunId;
use domain::integration::{AiProvider, IntegrationSettings, SecretName, TokenPrices};
use domain::job_run::{JobRun, Step};
use domain::period::DayBorder;
use infrastructure::connectors::{EgressPolicy, HttpOptions};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::http::CHEAP;
use super::rebuild::resident_megabytes;
use super::{Figure, Options};
use crate::Failure;
use crate::report;
use crate::server::Server;
use crate::simulators::Simulators;
use crate::system::Running;

const DEALS: u64 = 10_000;
const MESSAGES: u64 = 100_000;

/// The most that the setting takes.
const RADIST_CALLS_PER_SECOND: u32 = 1_000;

/// The steps that are measured.
const STEPS: [Step; 4] = [Step::FetchDeals, Step::SaveDeals, Step::FetchChats, Step::SaveChats];

/// How often the run and the memory are looked at, and how long the run may take before the measurement gives up.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(10);

/// Seconds from the start of the run until everything is fetched, written and read back, against the bar of 60 s.
pub(crate) async fn seconds(server: Server, _: Options) -> Result<Figure, Failure> {
    let simulators = Simulators::start(DEALS, MESSAGES)?;
    let measured = Measured::of(&server, &simulators).await?;
    report::note(&measured.told());
    let ours = measured.took.values().map(Duration::as_secs_f64).sum();
    Ok(Figure { name: "integration_bulk", ours, limit: 60.0, unit: "s" })
}

/// The most memory that the working process holds meanwhile, against the bar of 300 MB.
pub(crate) async fn memory(server: Server, _: Options) -> Result<Figure, Failure> {
    let simulators = Simulators::start(DEALS, MESSAGES)?;
    let measured = Measured::of(&server, &simulators).await?;
    Ok(Figure { name: "integration_bulk_memory", ours: measured.megabytes, limit: 300.0, unit: "MB" })
}

/// What a run came to.
struct Measured {
    took: BTreeMap<Step, Duration>,
    megabytes: f64,
}

impl Measured {
    /// Does a run with a worker in this process until its fourth step is done.
    async fn of(server: &Server, simulators: &Simulators) -> Result<Self, Failure> {
        let http = HttpOptions { egress: EgressPolicy::LoopbackOnly, ..HttpOptions::default() };
        let running = Running::start_with(server, CHEAP, http).await?;
        connect(&running, simulators).await?;
        let stop = CancellationToken::new();
        let (system, until) = (Arc::clone(&running.system), stop.clone());
        let working = tokio::spawn(async move { system.work(until).await });
        let days = [(2026, 6, 1), (2026, 6, 20)].map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day));
        let [Some(first_day), Some(last_day)] = days else { return Err("there are no such days".into()) };
        let request = RunRequest { id: None, first_day, last_day };
        let began = Instant::now();
        let started = running.system.state.runs.start(&running.context(), request).await?;
        let measured = Self::followed(server, started.run_id, began).await;
        stop.cancel();
        working.await?;
        measured
    }

    async fn followed(server: &Server, id: RunId, mut began: Instant) -> Result<Self, Failure> {
        let (runs, deadline) = (server.commands::<JobRun>(), began + PATIENCE);
        let mut measured = Self { took: BTreeMap::new(), megabytes: 0.0 };
        while measured.took.len() < STEPS.len() {
            tokio::time::sleep(LOOK_EVERY).await;
            measured.megabytes = measured.megabytes.max(resident_megabytes().unwrap_or_default());
            let run = runs.load(id.uuid()).await?;
            let state = run.run().ok_or("the run is not there")?;
            for step in STEPS.into_iter().filter(|step| state.done.contains_key(step)) {
                if let Entry::Vacant(new) = measured.took.entry(step) {
                    new.insert(began.elapsed());
                    began = Instant::now();
                }
            }
            if matches!(run, JobRun::Failed(_) | JobRun::Cancelled(_)) || Instant::now() > deadline {
                return Err(format!("the run did not come so far: {state:?}").into());
            }
            if measured.took.len() == STEPS.len() {
                let counted =
                    |step: Step, what: &str| state.done.get(&step).and_then(|(_, it)| it.counts.get(what)).copied();
                let all = (counted(Step::SaveDeals, "deals"), counted(Step::SaveChats, "messages"));
                if all != (Some(DEALS), Some(MESSAGES)) {
                    return Err(format!("not everything was read back: {all:?}").into());
                }
            }
        }
        Ok(measured)
    }

    fn told(&self) -> String {
        let step = |(step, took): (&Step, &Duration)| format!("{} {:.1} s", step.name(), took.as_secs_f64());
        let steps: Vec<String> = self.took.iter().map(step).collect();
        format!("integration_bulk: {}; {:.0} MB", steps.join(", "), self.megabytes)
    }
}

/// Everything that a run needs, at the stand-ins.
async fn connect(running: &Running, at: &Simulators) -> Result<(), Failure> {
    let settings = [
        (IntegrationSettings::Supabase { base_url: at.of("supabase", "base_url")?.parse()? }, "service_key"),
        (
            IntegrationSettings::Amocrm { base_url: at.of("amocrm", "base_url")?.parse()?, client_id: None },
            "access_token",
        ),
        (
            IntegrationSettings::Radist {
                base_url: at.of("radist", "base_url")?.parse()?,
                company_id: at.number("radist", "/company_id")?,
                requests_per_second: RADIST_CALLS_PER_SECOND,
                phone_region: None,
            },
            "api_key",
        ),
        (
            IntegrationSettings::Ai {
                provider: AiProvider::GEMINI,
                base_url: at.of("gemini", "base_url")?.parse()?,
                model: "gemini-3.8-flash".into(),
                prompt: String::new(),
                input_token_limit: None,
                prices: TokenPrices::default(),
            },
            "api_key",
        ),
        (
            IntegrationSettings::Telegram {
                base_url: at.of("telegram", "base_url")?.parse()?,
                chat_id: at.number("telegram", "/chat_ids/0")?.to_string(),
            },
            "bot_token",
        ),
    ];
    let context = running.context();
    let mut last = None;
    for (settings, field) in settings {
        let service = if settings.kind().name() == "ai" { "gemini" } else { settings.kind().name() };
        let secret = SecretString::from(at.of(service, field)?);
        let names = settings.kind().required_secrets();
        let secrets: BTreeMap<SecretName, _> = names.iter().map(|name| (*name, secret.clone())).collect();
        last = last.max(running.system.configure.save(&context, IntegrationInput { settings, secrets }).await?);
    }
    let day = DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse()? };
    last = last.max(running.system.automation.define(&context, day, Schedule::Manual).await?);
    running.settled(last).await
}
