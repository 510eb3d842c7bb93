//! `synkro access`: what a company's roles may, and whether that is what they can.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use application::pipeline::WorkerOptions;
use application::ports::clock::{Clock, Ids};
use application::use_cases::{SelfService, SessionLife};
use clap::{Args, Subcommand};
use domain::job_run::RetryPolicy;
use infrastructure::connectors::HttpOptions;
use infrastructure::crypto::Keks;
use infrastructure::database::Database;
use infrastructure::event_store::LogQuery;
use infrastructure::identity::{LockoutPolicy, PasswordCost, RsaTokens};
use infrastructure::limits::Quotas;
use infrastructure::mail::FolderMailer;
use infrastructure::system::{SystemClock, SystemIds};

use super::input::TenantRef;
use super::{CliError, open, print};
use crate::access_report;
use crate::config::DatabaseArgs;
use crate::wire::{LimitOptions, Options, PeopleOptions, System};

#[derive(Args)]
pub(super) struct AccessArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Asks every operation as every role of a company, and compares what came with what the role may. Changes nothing; exits
    /// with 1 where a role can do more or less than it may.
    Report {
        /// The company, by its id or its slug.
        #[arg(long, value_name = "TENANT")]
        tenant: TenantRef,
    },
}

pub(super) async fn run(args: AccessArgs) -> Result<ExitCode, CliError> {
    let DatabaseArgs { storage, json } = args.database;
    let Action::Report { tenant } = args.action;
    let (database, _folder) = open::readable_log(&storage).await?;
    let done = report(&database, tenant).await;
    database.close().await;
    let report = done?;
    print(&if json { report.json().to_string() } else { report.text() });
    Ok(if report.conforms() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn report(database: &Database, tenant: TenantRef) -> Result<access_report::Report, CliError> {
    let tenant = TenantRef::resolve(Some(tenant), &LogQuery::new(database.clone())).await?;
    let tenant = tenant.ok_or("the report is about one company")?;
    let keys = ThrowawayKeys::new();
    let system = System::new(database.clone(), options(&keys)?)?;
    tokio::select! {
        report = access_report::of(&system, tenant) => Ok(report?),
        () = system.follow() => Err("the background work ended by itself".into()),
    }
}

/// Keys of this report alone: its tokens are worth nothing to any other process, and it opens no secret.
struct ThrowawayKeys(PathBuf);

impl ThrowawayKeys {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("synkro-access-report-{}", SystemIds.next().simple())))
    }
}

impl Drop for ThrowawayKeys {
    fn drop(&mut self) {
        // What is left behind in the folder for temporary files opens nothing.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn options(ThrowawayKeys(folder): &ThrowawayKeys) -> Result<Options, CliError> {
    Ok(Options {
        keks: Arc::new(Keks::load_or_create(&folder.join("kek"))?),
        tokens: RsaTokens::load_or_create(&folder.join("jwt"), SystemClock.now())?,
        http: HttpOptions::default(),
        policy: RetryPolicy::default(),
        worker: WorkerOptions::default(),
        password: PasswordCost::default(),
        limits: LimitOptions { quotas: Quotas::NONE, ..LimitOptions::default() },
        lockout: LockoutPolicy::default(),
        session: SessionLife::default(),
        people: PeopleOptions {
            mailer: Arc::new(FolderMailer::new(folder.join("mail"), "no-reply@synkro.invalid".parse()?)),
            public_url: "http://localhost".parse()?,
            self_service: SelfService::Off,
        },
        instance: None,
    })
}
