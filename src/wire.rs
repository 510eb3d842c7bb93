//! Putting the parts together. The only place that names concrete adapters.

mod access;
mod accounts;
mod integrations;
mod log;
mod oauth;
mod people;
mod purge;
mod staff;
mod tenants;

use std::sync::Arc;
use std::time::Duration;

use api::{AppState, TrustedProxies};
use application::PortError;
use application::mail::PublicUrl;
use application::pipeline::{Pipeline, RunStopper, Worker, WorkerOptions};
use application::ports::clock::{Clock, Ids};
use application::ports::commands::EventLog;
use application::ports::identity::{Credentials, PasswordHasher};
use application::ports::queue::WorkerIdentity;
use application::ports::read_models::Integrations;
use application::ports::services::Connectors;
use application::ports::vault::Vault;
use application::use_cases::{
    CancelRun, CheckAccess, CheckIntegration, ConfigureIntegration, DefineTenantAutomation, OpenAccount, ReadAudit,
    ReadInsights, ReadMatrix, ReadReports, ReadRuns, ResendNotification, RunStarter, SessionLife, TenantProvisioning,
    UserRegistration,
};
use domain::job_run::RetryPolicy;
use infrastructure::access_matrix::LiveAccessMatrix;
use infrastructure::charts::PngCharts;
use infrastructure::connectors::{HttpConnectors, HttpOptions};
use infrastructure::crypto::{Keks, KeyRing, PgVault};
use infrastructure::database::{Database, Mode};
use infrastructure::event_store::{Appender, Horizon, LogStatistics, Receipts, TenantHistory};
use infrastructure::follower::Follower;
use infrastructure::health::SystemHealth;
use infrastructure::identity::{
    Argon2Hasher, LiveApiKeys, LiveRevocations, LockoutPolicy, PasswordCost, PgApiKeySecrets, PgCredentials, RsaTokens,
};
use infrastructure::limits::{Quotas, Redis, RequestLimits};
use infrastructure::projections::{Checkpoints, Projection, ProjectionRunner};
use infrastructure::read_models::{
    self, catalogue_entries::CatalogueEntriesReader, insights::InsightsReader, integrations::IntegrationsReader,
    reports::ReportsReader, roles::RolesReader, runs::RunsReader, users::UsersReader,
};
use infrastructure::signals::{self, Signal};
use infrastructure::staging::PgStaging;
use infrastructure::step_queue::PgStepQueue;
use infrastructure::system::{SystemClock, SystemIds};
use tokio_util::sync::CancellationToken;

use self::accounts::Accounts;
use self::log::Log;
use self::oauth::Oauth;
use self::people::People;
pub use self::people::PeopleOptions;
pub use self::staff::staff;
pub use self::tenants::{data_key_exchange, kek_exchange, rebuilding, tenant_lifecycle};

/// What differs between installations, the demo and tests.
pub struct Options {
    /// The key-encryption keys.
    pub keks: Arc<Keks>,
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
    /// How often clients may ask, and who they are.
    pub limits: LimitOptions,
    /// When attempts to sign in are refused.
    pub lockout: LockoutPolicy,
    /// How long sessions last.
    pub session: SessionLife,
    /// How people are reached, and whether they may come by themselves.
    pub people: PeopleOptions,
    /// The place that the process runs in, where a lock guards that it runs there alone.
    pub instance: Option<String>,
}

/// How often clients may ask, and who they are.
#[derive(Debug, Default)]
pub struct LimitOptions {
    /// How often, for each class of operations.
    pub quotas: Quotas,
    /// Where processes share what they have counted, those of accounts of providers too.
    pub redis: Option<Redis>,
    /// Whose word on a client's address is believed.
    pub proxies: TrustedProxies,
}

/// How long a process that has just started waits for the log before it answers, if only that it has not seen it yet.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// Why the parts cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Http(#[from] infrastructure::connectors::HttpClientError),
    /// The password hasher cannot be set up.
    #[error(transparent)]
    Port(#[from] PortError),
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
    accounts: Accounts,
    people: People,
    run_stopper: RunStopper,
    pipeline: Arc<Pipeline>,
    worker: WorkerOptions,
    instance: Option<String>,
}

impl System {
    /// Puts the parts together over an open, migrated database.
    pub fn new(database: Database, options: Options) -> Result<Self, WireError> {
        let http = HttpOptions { redis: options.limits.redis.clone(), ..options.http };
        let base = Base::new(database, options.keks, http, options.password, options.people.public_url.clone())?;
        let accounts = Accounts::new(&base, options.tokens, options.lockout, options.session);
        let people = People::new(&base, &accounts.guard, &accounts.end_sessions, options.people);
        let pipeline = Arc::new(base.pipeline());
        Ok(Self {
            state: Arc::new(base.api(&accounts, &people, options.policy, options.limits)),
            provisioning: base.provisioning(),
            registration: UserRegistration {
                users: Arc::clone(&base.log.users),
                tenants: Arc::clone(&base.log.tenants),
                assignment: base.role_assignment(),
                credentials: Arc::clone(&base.credentials),
                hasher: Arc::clone(&base.hasher),
                clock: clock(),
            },
            configure: base.configure(),
            check: base.check(),
            integrations: Arc::new(IntegrationsReader::new(&base.database)),
            automation: base.automation(),
            log: Arc::new(LogStatistics::new(base.database.clone())),
            ids: ids(),
            base,
            accounts,
            people,
            run_stopper: tenants::run_stopper(&pipeline),
            pipeline,
            worker: options.worker,
            instance: options.instance,
        })
    }

    /// Keeps the read models, and what is in memory, in step with the log until told to stop, and tells who holds them back.
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
            () = self.base.follower.run() => {}
            () = self.accounts.keep() => {}
        }
        runner.give_back(&self.base.projections).await;
    }

    /// Waits until rights and revocations have been read for the first time, by [`Self::project`], but not for ever. Before that
    /// every request of somebody who is signed in is refused as unavailable.
    pub async fn knows_rights(&self) {
        let known = tokio::time::timeout(FIRST_LOOK, self.base.follower.freshness().filled()).await;
        if known.is_err() {
            tracing::warn!("the log was not read in time; whoever is signed in is refused until it is");
        }
    }

    /// Does due steps and sends mail until told to stop, and now and then deletes what has outlived its time.
    pub async fn work(&self, stop: CancellationToken) {
        let identity = WorkerIdentity { id: self.ids.next(), name: self.instance.clone() };
        let worker = Worker::new(Arc::clone(&self.pipeline), identity, self.worker);
        tokio::select! {
            () = worker.run(stop.clone()) => {}
            () = self.people.courier.run(stop) => {}
            () = self.run_stopper.run() => {}
            () = self.purge() => {}
        }
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
    /// What roles may.
    matrix: Arc<LiveAccessMatrix>,
    projections: Vec<Arc<dyn Projection>>,
    checkpoints: Checkpoints,
    keys: Arc<KeyRing>,
    staging: Arc<PgStaging>,
    receipts: Receipts,
    vault: Arc<dyn Vault>,
    accounts: Arc<OpenAccount>,
    oauth: Oauth,
    connectors: Arc<dyn Connectors>,
    credentials: Arc<dyn Credentials>,
    hasher: Arc<dyn PasswordHasher>,
    revocations: Arc<LiveRevocations>,
    key_secrets: Arc<PgApiKeySecrets>,
    api_keys: Arc<LiveApiKeys>,
    follower: Follower,
}

impl Base {
    fn new(
        database: Database,
        keks: Arc<Keks>,
        http: HttpOptions,
        password: PasswordCost,
        public_url: PublicUrl,
    ) -> Result<Self, WireError> {
        let (grown, progressed) = (Signal::default(), Signal::default());
        let appender = Appender::new(database.clone(), grown.clone());
        let projections = read_models::all();
        let key_ring = Arc::new(KeyRing::new(database.clone(), keks));
        let vault: Arc<dyn Vault> = Arc::new(PgVault::new(database.clone(), Arc::clone(&key_ring)));
        let log = Log::new(&database, &appender);
        let connectors = Arc::new(HttpConnectors::new(http, Arc::new(SystemClock))?);
        let oauth = Oauth::new(&database, &key_ring, &vault, &log, connectors.amocrm_oauth(), public_url);
        let matrix = Arc::new(LiveAccessMatrix::new(&database));
        let revocations = Arc::new(LiveRevocations::new(&database));
        let key_secrets = Arc::new(PgApiKeySecrets::new(database.clone()));
        let api_keys = Arc::new(LiveApiKeys::new(&database, Arc::clone(&key_secrets)));
        let views = vec![Arc::clone(&revocations) as _, Arc::clone(&matrix) as _, Arc::clone(&api_keys) as _];
        let follower = Follower::new(&database, grown.clone(), views);
        revocations.follow(follower.freshness());
        matrix.follow(follower.freshness());
        api_keys.follow(follower.freshness());
        Ok(Self {
            matrix,
            revocations,
            key_secrets,
            api_keys,
            follower,
            checkpoints: Checkpoints::new(database.clone(), progressed.clone(), &projections),
            staging: Arc::new(PgStaging::new(database.clone(), Arc::clone(&key_ring), Arc::new(SystemClock))),
            keys: key_ring,
            receipts: Receipts::new(database.clone()),
            accounts: oauth.accounts(),
            connectors,
            oauth,
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
            moved_groups: tenants::moved_groups(&self.log),
            charts: Arc::new(PngCharts),
            connectors: Arc::clone(&self.connectors),
            clock: clock(),
            ids: ids(),
        }
    }

    fn run_starter(&self, policy: RetryPolicy) -> RunStarter {
        RunStarter {
            runs: Arc::clone(&self.log.runs),
            automations: Arc::clone(&self.log.automations),
            integrations: Arc::new(IntegrationsReader::new(&self.database)),
            tenants: Arc::clone(&self.log.tenants),
            policy,
            clock: clock(),
            ids: ids(),
        }
    }

    fn api(&self, accounts: &Accounts, people: &People, policy: RetryPolicy, limits: LimitOptions) -> AppState {
        let database = &self.database;
        let LimitOptions { quotas, redis, proxies } = limits;
        AppState {
            authentication: Arc::clone(&accounts.authentication),
            sign_in: Arc::clone(&accounts.sign_in),
            refresh: Arc::clone(&accounts.refresh),
            read_sessions: Arc::clone(&accounts.read_sessions),
            end_sessions: Arc::clone(&accounts.end_sessions),
            change_password: Arc::clone(&accounts.change_password),
            users: Arc::clone(&accounts.users),
            reset_password: Arc::clone(&people.reset_password),
            change_email: Arc::clone(&people.change_email),
            second_factor: Arc::clone(&people.second_factor),
            invite: Arc::clone(&people.invite),
            accept: Arc::clone(&people.accept),
            registration: Arc::clone(&people.registration),
            outbox: Arc::new(people.outbox.clone()),
            staff: Arc::new(self.manage_staff(&accounts.end_sessions, people)),
            tenants: Arc::new(self.tenant_lifecycle()),
            provisioning: Arc::new(self.provisioning()),
            tenant_users: Arc::new(self.manage_tenant_users(&accounts.users, people)),
            api_keys: Arc::new(self.manage_api_keys()),
            clock: clock(),
            authorize: Arc::new(self.oauth.authorize(self)),
            runs: Arc::new(self.run_starter(policy)),
            cancel: Arc::new(CancelRun { runs: Arc::clone(&self.log.runs), clock: clock() }),
            resend: Arc::new(ResendNotification { runs: Arc::clone(&self.log.runs), clock: clock() }),
            read_runs: Arc::new(ReadRuns { runs: Arc::new(RunsReader::new(database)) }),
            read_reports: Arc::new(ReadReports {
                reports: Arc::new(ReportsReader::new(database)),
                accounts: Arc::clone(&self.accounts),
                connectors: Arc::clone(&self.connectors),
            }),
            circuits: Arc::clone(&self.connectors) as _,
            read_audit: Arc::new(ReadAudit { trail: Arc::new(TenantHistory::new(database)) }),
            impersonate: Arc::new(self.impersonate(accounts)),
            read_insights: Arc::new(ReadInsights { insights: Arc::new(InsightsReader::new(database)) }),
            matrix: Arc::clone(&self.matrix) as _,
            manage_roles: Arc::new(self.manage_roles()),
            manage_catalogue: Arc::new(self.manage_catalogue()),
            read_matrix: Arc::new(ReadMatrix {
                roles: Arc::new(RolesReader::new(database)),
                entries: Arc::new(CatalogueEntriesReader::new(database)),
            }),
            check_access: Arc::new(CheckAccess {
                users: Arc::new(UsersReader::new(database)),
                matrix: Arc::clone(&self.matrix) as _,
            }),
            integrations: self.integrations(),
            progress: Arc::new(self.checkpoints.clone()),
            standings: Arc::new(self.checkpoints.clone()),
            health: Arc::new(SystemHealth::new(database.clone(), redis.clone())),
            limits: Arc::new(RequestLimits::new(quotas, redis)),
            proxies,
            ids: ids(),
        }
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn ids() -> Arc<dyn Ids> {
    Arc::new(SystemIds)
}
