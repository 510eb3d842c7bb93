//! `synkro serve`

use std::process::ExitCode;

use api::Bound;
use application::pipeline::WorkerOptions;
use application::ports::health::DependencyState;
use clap::{Args, ValueEnum};
use domain::job_run::RetryPolicy;
use infrastructure::connectors::{EgressPolicy, HttpOptions};
use infrastructure::database::{Database, Mode};
use infrastructure::identity::{LockoutPolicy, PasswordCost};
use infrastructure::limits::Redis;
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
    let (kek, tokens) = open::keys(&args.storage, &folder)?;
    let redis = args.limits.redis().await?;
    tell_limits(redis.as_ref()).await;
    let allow_hosts = args.allow_hosts.into_iter().filter(|host| !host.is_empty()).collect();
    let options = Options {
        kek,
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
    tracing::info!(role = ?args.role, "listening on http://{}", bound.address());
    until_stopped(&system, bound, args.role != Role::Api).await?;
    database.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Serves, projects and, where asked, works, until the process is told to stop.
pub(super) async fn until_stopped(system: &System, bound: Bound, works: bool) -> Result<(), CliError> {
    let stop = CancellationToken::new();
    let work = async {
        if works {
            system.work(stop.clone()).await;
        }
    };
    let serve = async {
        let served = api::serve(bound, system.state.clone(), told_to_stop()).await;
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

/// SIGTERM or Ctrl-C.
pub(super) async fn told_to_stop() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
