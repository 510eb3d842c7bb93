//! What the load asks of the engine: commands of several kinds of aggregates, some of them contended.

use application::ports::commands::Commands;
use application::{CommandError, RequestContext};
use chrono::{DateTime, TimeDelta, Utc};
use domain::EventSourced;
use domain::access::RoleName;
use domain::ids::{IntegrationId, RunId, SecretId, TenantId, UserId};
use domain::integration::{
    Configure, IntegrationCommand, IntegrationConfig, IntegrationEvent, IntegrationKind, IntegrationSettings,
    SecretName, SecretRef,
};
use domain::job_run::{JobRun, JobRunCommand, RetryPolicy, StartRun, Step};
use domain::period::{DayBorder, Period};
use domain::report::ReportKind;
use domain::tenant::{ProvisionTenant, Tenant, TenantCommand};
use domain::user::{RegisterUser, User, UserCommand};
use domain::values::{Language, Personal};
use infrastructure::database::Database;
use infrastructure::event_store::{Appender, LogCommands};
use uuid::Uuid;

use super::{Acknowledgement, Dice};

/// Tenants that all loads on a schema share, so that their integrations are contended.
const TENANTS: u64 = 64;

/// E-mail addresses and short names that several ask for; the others are asked for once.
const CONTENDED: u64 = 512;

/// Why a command was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotDone {
    /// A rule or a taken value; nothing was recorded.
    Refused,
    /// Others were first, again and again; nothing was recorded.
    Raced,
    /// The log did not answer.
    Unanswered,
}

/// The stores of the aggregates that the load changes, as one process holds them.
pub(super) struct Stores {
    tenants: LogCommands<Tenant>,
    users: LogCommands<User>,
    integrations: LogCommands<IntegrationConfig>,
    runs: LogCommands<JobRun>,
}

/// One thing that a writer does; each of its commands is told when it is acknowledged.
pub(super) struct Story<'a> {
    pub(super) stores: &'a Stores,
    pub(super) dice: &'a mut Dice,
    pub(super) now: DateTime<Utc>,
    pub(super) tell: &'a (dyn Fn(&Acknowledgement) + Send + Sync),
}

impl Stores {
    pub(super) fn new(database: &Database, appender: &Appender) -> Self {
        Self {
            tenants: LogCommands::new(database, appender.clone()),
            users: LogCommands::new(database, appender.clone()),
            integrations: LogCommands::new(database, appender.clone()),
            runs: LogCommands::new(database, appender.clone()),
        }
    }
}

impl Story<'_> {
    /// Does it; how many commands were acknowledged, and why the last one was not.
    pub(super) async fn live(&mut self) -> (u64, Option<NotDone>) {
        let mut acknowledged = 0;
        let lived = match self.dice.below(8) {
            0 => self.provision(&mut acknowledged).await,
            1 | 2 => self.register(&mut acknowledged).await,
            3 => self.run(&mut acknowledged).await,
            _ => self.configure(&mut acknowledged).await,
        };
        (acknowledged, lived.err())
    }

    /// A tenant, whose short name is a claim.
    async fn provision(&mut self, done: &mut u64) -> Result<(), NotDone> {
        let tenant_id = TenantId::from(self.id());
        let slug = format!("tenant-{}", self.name()).parse().expect("it is a short name");
        let name = "Company".parse().expect("a word is a name");
        let (language, at) = (Language::English, self.now);
        let command = TenantCommand::Provision(ProvisionTenant { tenant_id, name, slug, language, at });
        self.record(&self.stores.tenants, (tenant_id, tenant_id.uuid()), command, |_| 1).await?;
        *done += 1;
        Ok(())
    }

    /// A user, whose e-mail is a claim, and the password.
    async fn register(&mut self, done: &mut u64) -> Result<(), NotDone> {
        let (tenant_id, user_id) = (self.tenant(), UserId::from(self.id()));
        let email = format!("u{}@example.com", self.name()).parse().expect("it is an address");
        let name = "Ann Example".parse().expect("words are a name");
        let (role, at) = (RoleName::user(), self.now);
        let (email, name) = (Personal::new(email), Personal::new(name));
        let command = UserCommand::Register(RegisterUser { user_id, tenant_id, email, name, role, at });
        let id = (tenant_id, user_id.uuid());
        self.record(&self.stores.users, id, command, |_| 1).await?;
        *done += 1;
        self.record(&self.stores.users, id, UserCommand::RecordPasswordSet { at }, |_| 2).await?;
        *done += 1;
        Ok(())
    }

    /// A run that begins its first step; half of them are cancelled, by more than one event.
    async fn run(&mut self, done: &mut u64) -> Result<(), NotDone> {
        let (tenant_id, run_id, at) = (self.tenant(), RunId::from(self.id()), self.now);
        let id = (tenant_id, run_id.uuid());
        let begin = JobRunCommand::Begin { step: Step::ALL[0], worker: self.id().to_string(), at };
        let mut commands = vec![start(run_id, tenant_id, at), begin];
        if self.dice.below(2) == 0 {
            commands.push(JobRunCommand::Cancel { at });
        }
        let mut first = 1;
        for command in commands {
            first = self.record(&self.stores.runs, id, command, |_| first).await? + 1;
            *done += 1;
        }
        Ok(())
    }

    /// New settings of an integration that others change at the same time. Its version is its sequence.
    async fn configure(&mut self, done: &mut u64) -> Result<(), NotDone> {
        let tenant_id = self.tenant();
        let settings = IntegrationSettings::Telegram {
            base_url: "https://api.telegram.example".parse().expect("a constant address"),
            chat_id: format!("-{}", self.dice.below(1 << 40) + 1),
        };
        let secrets = vec![SecretRef { name: SecretName::BotToken, secret_id: SecretId::from(Uuid::nil()) }];
        let command =
            IntegrationCommand::Configure(Configure { tenant_id, settings, secrets, expected: None, at: self.now });
        let id = (tenant_id, IntegrationId::of(tenant_id, IntegrationKind::Telegram).uuid());
        let version = |events: &[IntegrationEvent]| match events {
            [IntegrationEvent::IntegrationConfigured { version, .. }] => i64::from(*version),
            other => panic!("new settings are one event, not {other:?}"),
        };
        self.record(&self.stores.integrations, id, command, version).await?;
        *done += 1;
        Ok(())
    }

    /// Executes a command, tells that it was acknowledged, and returns the sequence of its last event; `first` is that
    /// of its first one.
    async fn record<A: EventSourced>(
        &mut self,
        store: &LogCommands<A>,
        (tenant, id): (TenantId, Uuid),
        command: A::Command,
        first: impl Fn(&[A::Event]) -> i64,
    ) -> Result<i64, NotDone> {
        let request_id = self.id();
        let context = RequestContext::for_system("load", tenant, request_id, request_id);
        let recorded = store.execute(&context, id, command).await.map_err(|error| match error {
            CommandError::Rule(_) | CommandError::Taken { .. } | CommandError::KeyReused => NotDone::Refused,
            CommandError::LostRace | CommandError::Changed { .. } => NotDone::Raced,
            CommandError::Log(_) => NotDone::Unanswered,
        })?;
        let position = recorded.position.ok_or(NotDone::Refused)?;
        let first = first(&recorded.events);
        let last = first - 1 + i64::try_from(recorded.events.len()).expect("a command causes few events");
        let aggregate_type = A::TYPE.to_owned();
        (self.tell)(&Acknowledgement { aggregate_type, aggregate_id: id, first, last, position, request_id });
        Ok(last)
    }

    fn tenant(&mut self) -> TenantId {
        Uuid::from_u64_pair(1, self.dice.below(TENANTS)).into()
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.dice.roll(), self.dice.roll())
    }

    /// A part of a name that one time in four is contended.
    fn name(&mut self) -> u64 {
        if self.dice.below(4) == 0 { self.dice.below(CONTENDED) } else { self.dice.roll() }
    }
}

fn start(run_id: RunId, tenant_id: TenantId, at: DateTime<Utc>) -> JobRunCommand {
    JobRunCommand::Start(StartRun {
        run_id,
        tenant_id,
        kind: ReportKind::Daily,
        period: Period { from: at - TimeDelta::hours(25), to: at - TimeDelta::hours(1) },
        day: DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse().expect("midnight is a time") },
        config: vec![],
        policy: RetryPolicy::default(),
        at,
    })
}
