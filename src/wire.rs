//! Putting the parts together. The only place that names concrete adapters.

use std::sync::Arc;
use std::time::Duration;

use api::AppState;
use application::pipeline::{Pipeline, Worker, WorkerOptions};
use application::ports::clock::{Clock, Ids};
use application::ports::commands::{Commands, EventLog};
use application::ports::identity::{Credentials, PasswordHasher};
use application::ports::queue::WorkerIdentity;
use application::ports::read_models::Integrations;
use application::ports::services::Connectors;
use application::ports::vault::Vault;
use application::use_cases::{
    CancelRun, CheckIntegration, ConfigureIntegration, DefineTenantAutomation, OpenAccount, ReadModelRebuilding,
    ReadReports, ReadRuns, ResendNotification, RunStarter, SignIn, TenantProvisioning, UserRegistration,
};
use domain::EventSourced;
use domain::automation::Automation;
use domain::integration::IntegrationConfig;
use domain::job_run::{JobRun, RetryPolicy};
use domain::report::Report;
use domain::tenant::Tenant;
use domain::user::User;
use infrastructure::connectors::{HttpConnectors, HttpOptions};
use infrastructure::crypto::{Kek, KeyRing, PgVault};
use infrastructure::database::{Database, Mode};
use infrastructure::event_store::{Appender, Horizon, LogCommands, LogStatistics, Receipts};
use infrastructure::health::SystemHealth;
use infrastructure::identity::{Argon2Hasher, PasswordCost, PgCredentials, RsaTokens};
use infrastructure::projections::{Checkpoints, PgRebuildEngine, Projection, ProjectionRunner};
use infrastructure::read_models::{
    self, integrations::IntegrationsReader, reports::ReportsReader, runs::RunsReader, tenants::TenantsReader,
    users::UsersReader,
};
use infrastructure::signals::{self, Signal};
use infrastructure::staging::PgStaging;
use infrastructure::step_queue::PgStepQueue;
use infrastructure::system::{SystemClock, SystemIds};
use tokio_util::sync::CancellationToken;

/// How often what has outlived its time is deleted.
const PURGE_EVERY: Duration = Duration::from_hours(1);

/// What differs between installations, the demo and tests.
pub struct Options {
    /// The key-encryption key.
    pub kek: Kek,
    /// Signing of access tokens.
    pub tokens: RsaTokens,
    /// How the connectors behave on the network.
    pub http: HttpOptions,
    /// How new runs deal with transient failures.
    pub policy: RetryPolicy,
    /// How the worker works.
    pub worker: WorkerOptions,
    /// What a password hash costs.
    pub password: PasswordCost,
    /// The place that the process runs in, where a lock guards that it runs there alone.
    pub instance: Option<String>,
}

/// Why the parts cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] infrastructure::connectors::HttpClientError),
    /// The password hasher cannot be set up.
    #[error(transparent)]
    Port(#[from] application::PortError),
}

/// The running system's parts.
pub struct System {
    /// What the API calls.
    pub state: Arc<AppState>,
    /// Creating tenants.
    pub provisioning: TenantProvisioning,
    /// Registering users.
    pub registration: UserRegistration,
    /// Saving integrations.
    pub configure: ConfigureIntegration,
    /// Asking connected services whether they work.
    pub check: CheckIntegration,
    /// What is set up.
    pub integrations: Arc<dyn Integrations>,
    /// Saying what a day is.
    pub automation: DefineTenantAutomation,
    /// Questions about the log.
    pub log: Arc<dyn EventLog>,
    /// Ids.
    pub ids: Arc<dyn Ids>,
    base: Base,
    pipeline: Arc<Pipeline>,
    worker: WorkerOptions,
    instance: Option<String>,
}

impl System {
    /// Puts the parts together over an open, migrated database.
    pub fn new(database: Database, options: Options) -> Result<Self, WireError> {
        let base = Base::new(database, options.kek, options.http, options.password)?;
        let pipeline = Arc::new(base.pipeline());
        Ok(Self {
            state: Arc::new(base.api(options.tokens, options.policy)),
            provisioning: TenantProvisioning { tenants: Arc::clone(&base.log.tenants), clock: clock() },
            registration: UserRegistration {
                users: Arc::clone(&base.log.users),
                credentials: Arc::clone(&base.credentials),
                hasher: Arc::clone(&base.hasher),
                clock: clock(),
            },
            configure: ConfigureIntegration {
                integrations: Arc::clone(&base.log.integrations),
                vault: Arc::clone(&base.vault),
                clock: clock(),
                ids: ids(),
            },
            check: CheckIntegration {
                integrations: Arc::clone(&base.log.integrations),
                accounts: Arc::clone(&base.accounts),
                connectors: Arc::clone(&base.connectors),
                clock: clock(),
            },
            integrations: Arc::new(IntegrationsReader::new(&base.database)),
            automation: DefineTenantAutomation { automations: Arc::clone(&base.log.automations), clock: clock() },
            log: Arc::new(LogStatistics::new(base.database.clone())),
            ids: ids(),
            base,
            pipeline,
            worker: options.worker,
            instance: options.instance,
        })
    }

    /// Keeps the read models in step with the log until told to stop, and tells who holds them back.
    pub async fn project(&self, stop: CancellationToken) {
        let runner =
            ProjectionRunner::new(self.base.database.clone(), self.base.checkpoints.clone(), self.base.grown.clone());
        let listen = async {
            match self.base.database.mode() {
                Mode::Server => signals::listen(self.base.database.clone(), self.base.grown.clone()).await,
                Mode::Embedded => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = runner.run(&self.base.projections) => {}
            () = listen => {}
            () = Horizon::watch(self.base.database.clone()) => {}
        }
        runner.give_back(&self.base.projections).await;
    }

    /// Does due steps until told to stop, and now and then deletes what has outlived its time.
    pub async fn work(&self, stop: CancellationToken) {
        let identity = WorkerIdentity { id: self.ids.next(), name: self.instance.clone() };
        let worker = Worker::new(Arc::clone(&self.pipeline), identity, self.worker);
        tokio::select! {
            () = worker.run(stop) => {}
            () = self.purge() => {}
        }
    }

    async fn purge(&self) {
        loop {
            match self.base.staging.purge().await {
                Ok(rows) => tracing::debug!(rows, "deleted expired staged data"),
                Err(error) => tracing::warn!(%error, "expired staged data could not be deleted"),
            }
            match self.base.receipts.purge().await {
                Ok(rows) => tracing::debug!(rows, "deleted old receipts"),
                Err(error) => tracing::warn!(%error, "old receipts could not be deleted"),
            }
            tokio::time::sleep(PURGE_EVERY).await;
        }
    }
}

/// Rebuilding of read models, over an open, migrated database; it needs none of the keys that the whole system does.
pub fn rebuilding(database: &Database) -> ReadModelRebuilding {
    let appender = Appender::new(database.clone(), Signal::default());
    ReadModelRebuilding {
        rebuilds: commands(database, &appender),
        engine: Arc::new(PgRebuildEngine::new(database.clone(), read_models::all())),
        clock: clock(),
        ids: ids(),
    }
}

/// The adapters that everything above shares.
struct Base {
    database: Database,
    log: Log,
    /// The log has grown.
    grown: Signal,
    /// A read model has moved.
    progressed: Signal,
    projections: Vec<Arc<dyn Projection>>,
    checkpoints: Checkpoints,
    staging: Arc<PgStaging>,
    receipts: Receipts,
    vault: Arc<dyn Vault>,
    accounts: Arc<OpenAccount>,
    connectors: Arc<dyn Connectors>,
    credentials: Arc<dyn Credentials>,
    hasher: Arc<dyn PasswordHasher>,
}

impl Base {
    fn new(database: Database, kek: Kek, http: HttpOptions, password: PasswordCost) -> Result<Self, WireError> {
        let (grown, progressed) = (Signal::default(), Signal::default());
        let appender = Appender::new(database.clone(), grown.clone());
        let projections = read_models::all();
        let keys = Arc::new(KeyRing::new(database.clone(), kek));
        let vault: Arc<dyn Vault> = Arc::new(PgVault::new(database.clone(), Arc::clone(&keys)));
        let log = Log::new(&database, &appender);
        Ok(Self {
            checkpoints: Checkpoints::new(database.clone(), progressed.clone(), &projections),
            staging: Arc::new(PgStaging::new(database.clone(), keys, Arc::new(SystemClock))),
            receipts: Receipts::new(database.clone()),
            accounts: Arc::new(OpenAccount { integrations: Arc::clone(&log.integrations), vault: Arc::clone(&vault) }),
            connectors: Arc::new(HttpConnectors::new(http, Arc::new(SystemClock))?),
            credentials: Arc::new(PgCredentials::new(database.clone())),
            hasher: Arc::new(Argon2Hasher::new(password)?),
            database,
            log,
            grown,
            progressed,
            projections,
            vault,
        })
    }

    fn pipeline(&self) -> Pipeline {
        let queue = PgStepQueue::new(self.database.clone(), self.checkpoints.clone(), self.progressed.clone());
        Pipeline {
            runs: Arc::clone(&self.log.runs),
            reports: Arc::clone(&self.log.reports),
            tenants: Arc::clone(&self.log.tenants),
            queue: Arc::new(queue),
            staging: Arc::clone(&self.staging) as _,
            accounts: Arc::clone(&self.accounts),
            connectors: Arc::clone(&self.connectors),
            clock: clock(),
            ids: ids(),
        }
    }

    fn api(&self, tokens: RsaTokens, policy: RetryPolicy) -> AppState {
        let database = &self.database;
        AppState {
            sign_in: Arc::new(SignIn {
                users: Arc::new(UsersReader::new(database)),
                credentials: Arc::clone(&self.credentials),
                hasher: Arc::clone(&self.hasher),
                tokens: Arc::new(tokens),
                clock: clock(),
            }),
            runs: Arc::new(RunStarter {
                runs: Arc::clone(&self.log.runs),
                automations: Arc::clone(&self.log.automations),
                integrations: Arc::new(IntegrationsReader::new(database)),
                tenants: Arc::new(TenantsReader::new(database)),
                policy,
                clock: clock(),
                ids: ids(),
            }),
            cancel: Arc::new(CancelRun { runs: Arc::clone(&self.log.runs), clock: clock() }),
            resend: Arc::new(ResendNotification { runs: Arc::clone(&self.log.runs), clock: clock() }),
            read_runs: Arc::new(ReadRuns { runs: Arc::new(RunsReader::new(database)) }),
            read_reports: Arc::new(ReadReports {
                reports: Arc::new(ReportsReader::new(database)),
                accounts: Arc::clone(&self.accounts),
                connectors: Arc::clone(&self.connectors),
            }),
            progress: Arc::new(self.checkpoints.clone()),
            standings: Arc::new(self.checkpoints.clone()),
            health: Arc::new(SystemHealth::new(database.clone())),
            ids: ids(),
        }
    }
}

/// The log, as the store of each kind of aggregate. One of each, because it remembers recent aggregates.
struct Log {
    tenants: Arc<dyn Commands<Tenant>>,
    users: Arc<dyn Commands<User>>,
    integrations: Arc<dyn Commands<IntegrationConfig>>,
    automations: Arc<dyn Commands<Automation>>,
    runs: Arc<dyn Commands<JobRun>>,
    reports: Arc<dyn Commands<Report>>,
}

impl Log {
    fn new(database: &Database, appender: &Appender) -> Self {
        Self {
            tenants: commands(database, appender),
            users: commands(database, appender),
            integrations: commands(database, appender),
            automations: commands(database, appender),
            runs: commands(database, appender),
            reports: commands(database, appender),
        }
    }
}

fn commands<A: EventSourced>(database: &Database, appender: &Appender) -> Arc<dyn Commands<A>> {
    Arc::new(LogCommands::new(database, appender.clone()))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn ids() -> Arc<dyn Ids> {
    Arc::new(SystemIds)
}
