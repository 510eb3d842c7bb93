//! `synkro demo`: the main job on real dialogues, with local stand-ins of the outside services.

mod company;
mod follow;
mod outcome;
mod provision;
pub(super) mod services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use api::Bound;
use application::pipeline::WorkerOptions;
use application::ports::read_models::{RunStatus, RunView};
use application::use_cases::{SelfService, SessionLife};
use clap::Args;
use domain::job_run::RetryPolicy;
use infrastructure::connectors::{EgressPolicy, HttpOptions};
use infrastructure::identity::{LockoutPolicy, PasswordCost};
use infrastructure::mail::FolderMailer;
use simulator::Simulators;
use tokio_util::sync::CancellationToken;

use self::company::{Company, Data};
use self::outcome::Outcome;
use super::serve::{told_to_stop, until_stopped};
use super::{CliError, open, print, say};
use crate::config::{DataDir, HttpArgs, StorageArgs};
use crate::wire::{LimitOptions, Options, PeopleOptions, System};

#[derive(Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    storage: StorageArgs,
    #[command(flatten)]
    http: HttpArgs,

    /// Dialogues to work on, one JSON object a line (simulator/data/README.md describes the format).
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Start anew: forget the demo that the data folder holds. On a PostgreSQL server a new company is made beside the old
    /// one.
    #[arg(long)]
    fresh: bool,

    /// Exit when the reports are there, instead of serving them.
    #[arg(long)]
    once: bool,

    /// Print one JSON object as the last line of the output.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<ExitCode, CliError> {
    let data = Data::load(args.data.as_deref())?;
    let folder = DataDir::open(&args.storage.data_dir)?;
    if args.fresh {
        company::forget(&folder, args.storage.server().is_none())?;
    }
    let company = Company::load_or_create(&folder, &data)?;
    let bound = if args.once { None } else { Some(listen(&args.http).await?) };
    say(&data.introduction());
    let simulators = services::start(&folder, &data, &company).await?;
    let database = open::database(&args.storage, &folder).await?;
    database.migrate().await?;
    company::refuse_others(&database).await?;
    let (keks, tokens) = open::keys(&args.storage, &folder, &database).await?;
    let options = Options {
        keks,
        tokens,
        http: HttpOptions { egress: EgressPolicy::LoopbackOnly, ..HttpOptions::default() },
        policy: RetryPolicy::default(),
        worker: WorkerOptions { tenant: Some(company.tenant_id), ..WorkerOptions::default() },
        password: PasswordCost::default(),
        limits: LimitOptions::default(),
        lockout: LockoutPolicy::default(),
        session: SessionLife::default(),
        people: people(&folder, args.http.bind)?,
        instance: Some(folder.instance()?.0),
    };
    let system = System::new(database, options)?;
    let outcome = reports(&system, &company, &data, &simulators).await?;
    if let Some(hint) = outcome.retry_hint() {
        say(&hint);
    }
    let text = if args.json { serde_json::to_string(&outcome.json())? } else { outcome.text(&company, &data) };
    print(&text);
    if let Some(bound) = bound {
        let told = told_to_stop();
        say(&company.sign_in_text(bound.address()));
        until_stopped(&system, bound, true, told).await?;
    }
    Ok(if outcome.completed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Mails stay on this machine, whatever is named for `serve`: the demo's people are made up.
fn people(folder: &DataDir, bind: SocketAddr) -> Result<PeopleOptions, CliError> {
    let public_url = format!("http://localhost:{}", bind.port()).parse()?;
    let mailer = Arc::new(FolderMailer::new(folder.file("mail"), "Synkro <no-reply@synkro.invalid>".parse()?));
    Ok(PeopleOptions { mailer, public_url, self_service: SelfService::Off })
}

async fn listen(http: &HttpArgs) -> Result<Bound, CliError> {
    Bound::to(http.bind).await.map_err(|error| {
        format!("cannot listen on {} ({error}); choose another address with --bind, or use --once", http.bind).into()
    })
}

/// Provisions the company and makes both reports, or finds what an earlier start has done of that already.
async fn reports(
    system: &System,
    company: &Company,
    data: &Data,
    simulators: &Simulators,
) -> Result<Outcome, CliError> {
    let stop = CancellationToken::new();
    let background = async {
        tokio::join!(system.project(stop.clone()), system.work(stop.clone()));
    };
    let foreground = async {
        provision::company(system, company, simulators).await?;
        let whole = follow::run(system, company, "whole period", company.whole_period(data)).await?;
        let day = follow::run(system, company, "busiest day", company.busiest_day(data)).await?;
        Outcome::gather(system, company, simulators, whole, day).await
    };
    tokio::select! {
        outcome = foreground => { stop.cancel(); outcome }
        () = background => Err("the background work ended by itself".into()),
    }
}

/// A run that did not complete, in words.
fn failure_text(run: &RunView) -> Option<String> {
    if run.status == RunStatus::Completed {
        return None;
    }
    let step = run.steps.iter().find(|step| step.failure.is_some())?;
    let failure = step.failure.as_ref()?;
    Some(format!(
        "The run {} at step {} ({}): {}. {}",
        run.status.name(),
        step.step.number(),
        step.step.name(),
        failure.message,
        failure.advice
    ))
}
