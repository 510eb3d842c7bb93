//! `synkro serve`

use std::process::ExitCode;
use std::sync::Arc;

use api::Bound;
use application::pipeline::WorkerOptions;
use application::ports::data_keys::DataKeys;
use application::ports::health::DependencyState;
use clap::{Args, ValueEnum};
use domain::job_run::RetryPolicy;
use infrastructure::connectors::{EgressPolicy, HttpOptions};
use infrastructure::crypto::{Keks, PgDataKeys};
use infrastructure::database::{Database, Mode};
use infrastructure::identity::{LockoutPolicy, PasswordCost};
use infrastructure::limits::Redis;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{CliError, log, open};
use crate::config::{DataDir, HttpArgs, LimitArgs, MailArgs, SessionArgs, StorageArgs};
use crate::wire::{LimitOptions, Options, System};

#[derive(Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    storage: StorageArgs,
    #[command(flatten)]
    http: HttpArgs,

    #[command(flatten)]
    mail: MailArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    session: SessionArgs,

    /// What this process does. Several of each may run on one PostgreSQL.
    #[arg(long, default_value = "all")]
    role: Role,

    /// Hosts with private addresses that connectors may call all the same, separated by commas.
    #[arg(long, env = "SYNKRO_ALLOW_HOSTS", value_delimiter = ',', value_name = "HOST[:PORT]")]
    allow_hosts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Everything.
    All,
    /// The API, and keeping the read models in step.
    Api,
    /// The pipeline's work, and keeping the read models in step; HTTP answers too, for health checks.
    Worker,
}

pub(super) async fn run(args: ServeArgs) -> Result<ExitCode, CliError> {
    let proxies = args.limits.proxies()?;
    let folder = DataDir::open(&args.storage.data_dir)?;
    let database = open::database(&args.storage, &folder).await?;
    prepare(&database).await?;
    let (keks, tokens) = open::keys(&args.storage, &folder, &database).await?;
    tell_missing_keks(&database, &keks).await?;
    let redis = args.limits.redis().await?;
    tell_limits(redis.as_ref()).await;
    let allow_hosts = args.allow_hosts.into_iter().filter(|host| !host.is_empty()).collect();
    let options = Options {
        keks,
        tokens,
        http: HttpOptions { egress: EgressPolicy::PublicOnly { allow_hosts }, ..HttpOptions::default() },
        policy: RetryPolicy::default(),
        worker: WorkerOptions::default(),
        password: PasswordCost::default(),
        limits: LimitOptions { quotas: args.limits.quotas(), redis, proxies },
        lockout: LockoutPolicy::default(),
        session: args.session.life(),
        people: args.mail.options(folder.file("mail"), args.http.bind)?,
        instance: Some(folder.instance()?.0),
    };
    if args.mail.server().is_none() {
        tracing::warn!(
            "no mail server: mails are written into {}, and nobody gets them; set SMTP_URL for production",
            folder.file("mail").display()
        );
    }
    let system = System::new(database.clone(), options)?;
    let bound = Bound::to(args.http.bind).await.map_err(|error| {
        format!("cannot listen on {} ({error}); choose another address with --bind", args.http.bind)
    })?;
    let told = told_to_stop();
    tracing::info!(role = ?args.role, "listening on http://{}", bound.address());
    until_stopped(&system, bound, args.role != Role::Api, told).await?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Serves, projects and, where asked, works, until the process is told to stop.
pub(super) async fn until_stopped(
    system: &System,
    bound: Bound,
    works: bool,
    told: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let work = async {
        if works {
            system.work(stop.clone()).await;
        }
    };
    let serve = async {
        let mut told = Box::pin(told);
        // Whoever connects before that waits, instead of being told that rights are not known for now.
        let served = tokio::select! {
            () = &mut told => Ok(()),
            () = system.knows_rights() => api::serve(bound, system.state.clone(), told).await,
        };
        stop.cancel();
        served
    };
    let ((), (), served) = tokio::join!(system.project(stop.clone()), work, serve);
    Ok(served?)
}

/// The embedded schema is brought up to date; a server's is another command's work.
async fn prepare(database: &Database) -> Result<(), CliError> {
    match database.mode() {
        Mode::Embedded => {
            tracing::warn!(
                "embedded PostgreSQL: one process only, and a power cut may lose the last moments; \
                 set DATABASE_URL for production"
            );
            database.migrate().await?;
        }
        Mode::Server => {
            if !database.is_current().await? {
                return Err("the database schema is not up to date; run `synkro migrate` first".into());
            }
            log::require_whole(database).await?;
            tracing::info!("PostgreSQL server");
        }
    }
    Ok(())
}

/// Who counts requests, and calls to providers.
async fn tell_limits(redis: Option<&Redis>) {
    match redis {
        None => tracing::info!("limits are counted in this process; set REDIS_URL where there are several"),
        Some(redis) => match redis.state().await {
            DependencyState::Up => tracing::info!("limits are shared through Redis"),
            // Why has been logged already, where it was noticed.
            DependencyState::Degraded { .. } | DependencyState::Down { .. } => {}
        },
    }
}

/// Ends with SIGTERM or Ctrl-C. Both are heard from this call on, so whoever was told that the program is at work can end it in
/// good order.
pub(super) fn told_to_stop() -> impl Future<Output = ()> {
    let (terminate, interrupt) = (heard(SignalKind::terminate()), heard(SignalKind::interrupt()));
    async move {
        tokio::select! {
            () = terminate => {}
            () = interrupt => {}
        }
    }
}

/// Ends with the signal. One that cannot be heard ends the program by itself, as it does by default.
fn heard(kind: SignalKind) -> impl Future<Output = ()> {
    let listening = signal(kind);
    async move {
        match listening {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }
}

/// Says which key-encryption keys are in use and not here, before a company's secrets are asked for.
async fn tell_missing_keks(database: &Database, keks: &Arc<Keks>) -> Result<(), CliError> {
    let data_keys = PgDataKeys::new(database.clone(), Arc::clone(keks));
    for missing in data_keys.wrapping().await?.used.into_iter().filter(|used| !used.is_known) {
        tracing::error!(
            key = missing.kek_id,
            data_keys = missing.data_keys,
            "the secrets of some companies cannot be opened: their data keys are wrapped by a key that is not among the \
             key-encryption keys; add it below the first"
        );
    }
    Ok(())
}
