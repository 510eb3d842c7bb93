//! A whole system for one test: a throwaway database, the simulators on a temporary folder, all background work, and
//! the API on a port of its own.

#![expect(clippy::missing_panics_doc, reason = "a test fails by panicking; that is what these are for")]

use std::sync::Arc;
use std::time::Duration;

use api::Bound;
use application::RequestContext;
use application::pipeline::WorkerOptions;
use application::ports::clock::{Clock, Ids};
use application::ports::identity::Tokens;
use application::use_cases::{SelfService, SessionLife, TenantChange};
use chrono::{NaiveDate, TimeDelta};
use domain::access::{Preset, RoleName};
use domain::integration::{IntegrationKind, IntegrationSettings};
use domain::job_run::RetryPolicy;
use infrastructure::connectors::{CircuitOptions, EgressPolicy, HttpOptions, RetryOptions};
use infrastructure::crypto::Keks;
use infrastructure::database::Database;
use infrastructure::identity::{KeyFiles, LockoutPolicy, PasswordCost, RsaTokens};
use infrastructure::limits::Quotas;
use infrastructure::system::{SystemClock, SystemIds};
use secrecy::ExposeSecret;
use simulator::{Accounts, Call, DialogueSet, Fault, FaultKind, Limits, Service, SimulatorOptions, Simulators, Size};
use synkro::wire::{self, LimitOptions, Options, PeopleOptions, System};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::TestDatabase;
use crate::TestMailer;
use crate::actors::Actor;
use crate::company::{self, AiChoice, Company, Credential};
use crate::engine::PostgresServer;
use crate::secrets::{KEK_FILE, Secrets};
use crate::services::{first_dialogues, secrets_of, tables};

/// Enough dialogues for a report with several agents, hours and outcomes; few enough for milliseconds.
const DIALOGUES: usize = 12;

/// The folder of the keys that sign access tokens.
const TOKEN_KEYS: &str = "jwt";

/// What a test system is made of.
pub struct TestAppBuilder {
    dialogues: DialogueSet,
    limits: Limits,
    policy: RetryPolicy,
    worker: WorkerOptions,
    workers: usize,
    ai: AiChoice,
    preset: Preset,
    quotas: Quotas,
    mailer: TestMailer,
    self_service: SelfService,
    password: PasswordCost,
    server: Option<String>,
    pub(crate) circuit: CircuitOptions,
}

impl Default for TestAppBuilder {
    fn default() -> Self {
        Self {
            dialogues: first_dialogues(DIALOGUES),
            limits: Limits { amocrm_per_second: Limits::NONE, ..Limits::default() },
            policy: RetryPolicy { max_attempts: 3, first_delay_ms: 5, max_delay_ms: 20, max_lost: 25 },
            worker: WorkerOptions { poll: Duration::from_millis(50), ..WorkerOptions::default() },
            workers: 1,
            ai: AiChoice::default(),
            preset: Preset::default(),
            quotas: Quotas::NONE,
            mailer: TestMailer::default(),
            self_service: SelfService::Off,
            password: PasswordCost { memory_kib: 8, passes: 1, at_once: 2, waiting: 256 },
            server: None,
            circuit: crate::services::forgiving(),
        }
    }
}

impl TestAppBuilder {
    /// The first so many dialogues of the demo's data.
    #[must_use]
    pub fn dialogues(self, dialogues: usize) -> Self {
        Self { dialogues: first_dialogues(dialogues), ..self }
    }

    /// A company of this size, made of these dialogues.
    #[must_use]
    pub fn size(self, size: Size) -> Self {
        Self { dialogues: self.dialogues.multiplied(size).expect("a size that can be made"), ..self }
    }

    /// What the simulators bear.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// How runs deal with transient failures.
    #[must_use]
    pub fn policy(self, policy: RetryPolicy) -> Self {
        Self { policy, ..self }
    }

    /// How workers work.
    #[must_use]
    pub fn worker(self, worker: WorkerOptions) -> Self {
        Self { worker, ..self }
    }

    /// So many processes' worth of workers on the one database.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// How the company uses its AI.
    #[must_use]
    pub fn ai(self, ai: AiChoice) -> Self {
        Self { ai, ..self }
    }

    /// Lets companies register themselves.
    #[must_use]
    pub fn self_service(self) -> Self {
        Self { self_service: SelfService::On, ..self }
    }

    /// The roles and services that the company begins with.
    #[must_use]
    pub fn preset(self, preset: Preset) -> Self {
        Self { preset, ..self }
    }

    /// How often clients may ask; without limit otherwise.
    #[must_use]
    pub fn quotas(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// What a password hash costs; next to nothing, where a test does not say.
    #[must_use]
    pub fn password(self, password: PasswordCost) -> Self {
        Self { password, ..self }
    }

    /// On a server of the test's own.
    #[must_use]
    pub fn on(self, server: &PostgresServer) -> Self {
        Self { server: Some(server.url()), ..self }
    }

    /// Starts everything. Returns the system, a caller who is not signed in, and the company's owner.
    pub async fn start(self) -> (TestApp, Actor, Actor) {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let (dialogues, accounts) = (Arc::new(self.dialogues.clone()), Accounts::generate());
        let simulators = Simulators::start(SimulatorOptions {
            state_dir: folder.path().join("services"),
            dialogues: Arc::clone(&dialogues),
            accounts: accounts.clone(),
            supabase_tables: tables(),
            limits: self.limits,
        });
        let simulators = simulators.await.expect("simulators on free ports");
        let database = match &self.server {
            None => TestDatabase::new().await,
            Some(url) => TestDatabase::on(url.clone()).await,
        };
        let stop = CancellationToken::new();
        let process = |_| self.system(database.database().clone(), &folder, &stop);
        let mut systems: Vec<_> = (0..self.workers).map(process).collect();
        let system = systems.swap_remove(0);
        let bound = Bound::to("127.0.0.1:0").await.expect("a free port");
        let secrets = secrets_of(&accounts);
        let anonymous = serve(&system, bound, secrets.clone(), &stop).await;
        let company = Company::found(&system, "acme", self.preset).await;
        let app = TestApp {
            company,
            secrets,
            simulators,
            dialogues,
            system,
            accounts,
            anonymous,
            builder: self,
            stop,
            database,
            folder,
        };
        let owner = app.open_for_business(&app.company).await;
        let anonymous = app.anonymous.clone();
        (app, anonymous, owner)
    }

    /// One process's worth of the program, at work in the background.
    fn system(&self, database: Database, folder: &TempDir, stop: &CancellationToken) -> Arc<System> {
        let options = Options {
            keks: Arc::new(Keks::load_or_create(&folder.path().join(KEK_FILE)).expect("a key file")),
            tokens: RsaTokens::load_or_create(&folder.path().join(TOKEN_KEYS), SystemClock.now()).expect("a token key"),
            http: HttpOptions {
                connect_timeout: Duration::from_secs(2),
                call_timeout: Duration::from_secs(10),
                // Every attempt at a step makes each of its calls once, so that attempts can be counted in the journal.
                retry: RetryOptions { tries: 1, ..RetryOptions::default() },
                egress: EgressPolicy::LoopbackOnly,
                circuit: self.circuit.clone(),
                ..HttpOptions::default()
            },
            policy: self.policy,
            worker: self.worker,
            password: self.password,
            lockout: LockoutPolicy::default(),
            session: SessionLife::default(),
            limits: LimitOptions { quotas: self.quotas, ..LimitOptions::default() },
            people: PeopleOptions {
                mailer: Arc::new(self.mailer.clone()),
                public_url: "https://synkro.example".parse().expect("an address of pages"),
                self_service: self.self_service,
            },
            instance: None,
        };
        let system = Arc::new(System::new(database, options).expect("a working system"));
        for works in [false, true] {
            let (system, stop) = (Arc::clone(&system), stop.clone());
            tokio::spawn(async move { if works { system.work(stop).await } else { system.project(stop).await } });
        }
        system
    }
}

/// A whole system. It ends with this value.
pub struct TestApp {
    /// The company whose owner came with the system.
    pub company: Company,
    /// What nobody may read.
    pub secrets: Secrets,
    /// The outside services.
    pub simulators: Simulators,
    /// What happened at the company.
    pub dialogues: Arc<DialogueSet>,
    system: Arc<System>,
    pub(crate) accounts: Accounts,
    pub(crate) anonymous: Actor,
    builder: TestAppBuilder,
    stop: CancellationToken,
    database: TestDatabase,
    pub(crate) folder: TempDir,
}

impl TestApp {
    /// The usual system.
    pub async fn start() -> (Self, Actor, Actor) {
        TestAppBuilder::default().start().await
    }

    /// A system that is not the usual one.
    pub fn build() -> TestAppBuilder {
        TestAppBuilder::default()
    }

    /// A user of the company with the role `user`.
    pub async fn user(&self) -> Actor {
        self.signed_in(&self.company.employ(&self.system, RoleName::user()).await).await
    }

    /// A user of the company with another role.
    pub async fn person(&self, role: &str) -> Actor {
        self.signed_in(&self.company.employ(&self.system, role.parse().expect("a name of a role")).await).await
    }

    /// The owner of another company, with everything connected to the same accounts.
    pub async fn other_tenant(&self) -> Actor {
        let other = Company::found(&self.system, "globex", Preset::Sales).await;
        self.open_for_business(&other).await
    }

    /// A new user of the company and the password, not signed in yet.
    pub async fn credential(&self) -> Credential {
        self.credential_as(RoleName::USER).await
    }

    /// The same with another role.
    pub async fn credential_as(&self, role: &str) -> Credential {
        let credential = self.company.employ(&self.system, role.parse().expect("a name of a role")).await;
        self.secrets.add(&credential.password);
        credential
    }

    /// A token for the one who is signed in with another, as it would have been issued some minutes ago.
    pub fn token_of(&self, actor: &Actor, minutes_ago: i64) -> String {
        let now = SystemClock.now();
        let tokens = RsaTokens::load(self.token_keys()).expect("the token key");
        let subject = tokens.verify(actor.token(), now).expect("a good token");
        let token = tokens.issue(&subject, now - TimeDelta::minutes(minutes_ago)).expect("a token");
        token.token.expose_secret().to_owned()
    }

    /// The keys that sign access tokens.
    pub fn token_keys(&self) -> KeyFiles {
        KeyFiles::at(&self.folder.path().join(TOKEN_KEYS))
    }

    /// Another process of the program on the same database, and a caller of it who is not signed in.
    pub async fn another_process(&self) -> Actor {
        let database = self.database.another_process().await.unwrap_or_else(|| self.database.database().clone());
        let system = self.builder.system(database, &self.folder, &self.stop);
        let bound = Bound::to("127.0.0.1:0").await.expect("a free port");
        serve(&system, bound, self.secrets.clone(), &self.stop).await
    }

    /// Does with the company what those may who run the installation, at the terminal.
    pub async fn change_company(&self, change: TenantChange) {
        let context = RequestContext::for_support("ops-anna".parse().expect("a name"), SystemIds.next());
        let lifecycle = wire::tenant_lifecycle(self.database.database());
        lifecycle.change(&context, self.company.tenant_id, change).await.expect("a change that is allowed");
    }

    /// The settings under which the company reaches a simulator.
    pub fn settings(&self, kind: IntegrationKind) -> IntegrationSettings {
        company::settings(kind, self.simulators.endpoints(), &self.accounts, &self.builder.ai)
    }

    /// The secret of the company's account.
    pub fn secret(&self, kind: IntegrationKind) -> &str {
        company::secret(kind, &self.accounts, &self.builder.ai)
    }

    /// Saves other settings or another secret for one of the company's integrations.
    pub async fn connect(&self, settings: IntegrationSettings, secret: &str) {
        self.secrets.add(secret);
        self.company.connect(&self.system, settings, secret).await;
    }

    /// From the day of the first message to that of the last.
    pub fn days(&self) -> (NaiveDate, NaiveDate) {
        let day = |at| Company::day().day_of(at);
        (day(self.dialogues.first_message_at()), day(self.dialogues.last_message_at()))
    }

    /// Lets a fault befall calls of a service; every one, where it does not say how many.
    pub fn fault(&self, service: Service, path: Option<&str>, kind: FaultKind, times: Option<u32>) {
        let path_contains = path.map(str::to_owned);
        self.simulators.faults().inject(Fault { service, path_contains, kind, times });
    }

    /// The calls that a service received and whose path has this part.
    pub fn calls(&self, service: Service, path: &str) -> Vec<Call> {
        let calls = self.simulators.calls().into_iter();
        calls.filter(|call| call.service == service && call.path.contains(path)).collect()
    }

    /// The mails that the system has sent.
    pub fn mailer(&self) -> &TestMailer {
        &self.builder.mailer
    }

    /// The parts of its first process.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// The database, for looking behind the program and for breaking it.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    async fn open_for_business(&self, company: &Company) -> Actor {
        for kind in IntegrationKind::ALL {
            company.connect(&self.system, self.settings(kind), self.secret(kind)).await;
        }
        self.signed_in(&company.employ(&self.system, RoleName::owner()).await).await
    }

    async fn signed_in(&self, credential: &Credential) -> Actor {
        self.secrets.add(&credential.password);
        self.anonymous.sign_in(&credential.email, &credential.password).await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Answers requests as the program does, once it knows who may what; returns a caller who is not signed in.
async fn serve(system: &System, bound: Bound, secrets: Secrets, stop: &CancellationToken) -> Actor {
    system.knows_rights().await;
    let address = bound.address();
    tokio::spawn(api::serve(bound, Arc::clone(&system.state), stop.clone().cancelled_owned()));
    Actor::anonymous(address, secrets)
}
