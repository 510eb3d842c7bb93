//! The life of a company, told through commands: every event of the catalogue comes up in it.

use std::collections::BTreeMap;

use application::ports::commands::Commands;
use chrono::{DateTime, TimeDelta, Utc};
use domain::EventSourced;
use domain::access::RoleName;
use domain::automation::{Automation, AutomationCommand, DefineAutomation, Schedule};
use domain::events::CATALOGUE;
use domain::ids::{AttemptId, AutomationId, IntegrationId, ReportId, RunId, SecretId, SessionId, TenantId, UserId};
use domain::integration::{
    Authorize, CheckOutcome, Configure, IntegrationCommand, IntegrationConfig, IntegrationKind, IntegrationSettings,
    Renew, SecretName, SecretRef, TokenPairRef, Trial, TrialRecord, WriteRecord,
};
use domain::job_run::{AiCalls, JobRunCommand, Metered, Step};
use domain::metrics::compute;
use domain::money::TokenPrice;
use domain::rebuild::{
    FinishRebuild, Rebuild, RebuildCommand, RebuildGoal, RebuildOutcome, RebuildScope, StartRebuild,
};
use domain::report::{PublishReport, Report, ReportCommand, ReportKind};
use domain::session::{OpenSession, RevocationReason, Session, SessionCommand, SignInMethod};
use domain::tenant::{Tenant, TenantCommand};
use domain::user::{User, UserCommand};
use domain::values::{BaseUrl, Personal};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{
    at, attempt, begin, complete, context, day, fail, on_run, period, provision, register, run, start, tenant, user,
};

const WORKER: Uuid = Uuid::from_u128(0x77);

/// A company of a number; two of them share nothing.
pub(crate) struct Company<'a> {
    pub(crate) test: &'a TestDatabase,
    number: u128,
}

impl<'a> Company<'a> {
    pub(crate) fn new(test: &'a TestDatabase, number: u128) -> Self {
        Self { test, number }
    }

    pub(crate) fn tenant(&self) -> TenantId {
        tenant(self.number)
    }

    pub(crate) fn user(&self) -> UserId {
        user(self.number)
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        format!("Company company-{}", self.number)
    }

    pub(crate) fn email(&self) -> String {
        format!("ann@company-{}.example", self.number)
    }

    /// The n-th run of this company.
    pub(crate) fn run(&self, n: u128) -> RunId {
        run(self.number * 0x100 + n)
    }

    pub(crate) async fn tell<A: EventSourced>(&self, id: Uuid, command: A::Command)
    where
        A::Error: std::fmt::Debug,
    {
        self.test.commands::<A>().execute(&context(self.tenant()), id, command).await.unwrap();
    }

    async fn tell_run(&self, run: RunId, commands: impl IntoIterator<Item = JobRunCommand>) {
        for command in commands {
            on_run(self.test, self.tenant(), run, command).await;
        }
    }

    /// Everything that can happen.
    pub(crate) async fn live(&self) {
        self.set_up().await;
        self.keep_accounts().await;
        self.complete_run_of_two_analyses(self.run(1), at(100)).await;
        self.publish(self.run(1), at(200)).await;
        self.failing_run(self.run(2)).await;
        self.cancelled_run(self.run(3)).await;
        self.uncertain_run(self.run(4)).await;
        self.tell_run(self.run(5), [start(self.run(5), self.tenant(), at(300))]).await;
        self.verify_users(at(310)).await;
        self.manage_access().await;
        self.let_people_in().await;
        self.be_looked_after().await;
        self.have_staff().await;
        self.rotate_kek().await;
        self.rotate_data_key().await;
        self.remove_someone().await;
        self.manage_api_keys().await;
    }

    /// Everything happens to the user that can, and nothing of it is left but the sessions.
    pub(crate) async fn keep_accounts(&self) {
        let (user, at) = (self.user().uuid(), at(3));
        let name = |name: &str| UserCommand::Rename { name: Personal::new(name.parse().unwrap()), at };
        for command in [
            UserCommand::ChangeRole { role: RoleName::user(), at },
            UserCommand::ChangeRole { role: RoleName::owner(), at },
            name("Ann Other"),
            name("Ann Example"),
            UserCommand::RecordPasswordChanged { at },
            UserCommand::RecordLockout { failures: 5, until: at, at },
            UserCommand::Deactivate { at },
            UserCommand::Reactivate { at },
        ] {
            self.tell::<User>(user, command).await;
        }
        for n in 1..=2 {
            self.tell::<Session>(self.session(n).uuid(), self.open_session(n, at)).await;
        }
        let revoke = SessionCommand::Revoke { reason: RevocationReason::SignedOut, at };
        self.tell::<Session>(self.session(2).uuid(), revoke).await;
    }

    /// The n-th session of the user.
    pub(crate) fn session(&self, n: u128) -> SessionId {
        Uuid::from_u128(0x6000_0000 + self.number * 0x100 + n).into()
    }

    pub(crate) fn open_session(&self, n: u128, at: DateTime<Utc>) -> SessionCommand {
        SessionCommand::Open(OpenSession {
            session_id: self.session(n),
            user_id: self.user(),
            tenant_id: Some(self.tenant()),
            method: SignInMethod::Password,
            user_agent: Some(Personal::new("browser/1".into())),
            ip: Some(Personal::new("203.0.113.9".into())),
            ends_at: at + TimeDelta::days(90),
            at,
        })
    }

    /// Support staff look whether the company's rows are right.
    async fn verify_users(&self, at: DateTime<Utc>) {
        let id = Uuid::from_u128(0x5000 + self.number);
        let start = StartRebuild {
            rebuild_id: id.into(),
            projection: "users".parse().unwrap(),
            scope: RebuildScope::Tenant { tenant_id: self.tenant() },
            goal: RebuildGoal::Verify,
            reason: None,
            at,
        };
        self.tell::<Rebuild>(id, RebuildCommand::Start(start)).await;
        let outcome = RebuildOutcome::Verified;
        let end = FinishRebuild { outcome, tenants_differing: 0, rows_differing: [].into(), at };
        self.tell::<Rebuild>(id, RebuildCommand::Finish(end)).await;
    }

    pub(crate) async fn set_up(&self) {
        let tenant_id = self.tenant();
        self.tell::<Tenant>(tenant_id.uuid(), provision(tenant_id, &format!("company-{}", self.number))).await;
        self.tell::<User>(self.user().uuid(), register(self.user(), tenant_id, &self.email())).await;
        self.tell::<User>(self.user().uuid(), UserCommand::RecordPasswordSet { at: at(2) }).await;
        for kind in IntegrationKind::ALL {
            self.configure(kind, 1).await;
        }
        let failing = CheckOutcome::Failing { reason: "The key is not accepted.".into() };
        self.check(IntegrationKind::Amocrm, 1, CheckOutcome::Working).await;
        self.check(IntegrationKind::Radist, 1, failing.clone()).await;
        self.check(IntegrationKind::Ai, 1, failing).await;
        self.configure(IntegrationKind::Ai, 2).await;
        self.try_deals().await;
        self.connect_amocrm().await;
        let define = DefineAutomation { tenant_id, day: day(), schedule: Schedule::Manual, at: at(5) };
        self.tell::<Automation>(AutomationId::of(tenant_id).uuid(), AutomationCommand::Define(define)).await;
        self.tell::<Tenant>(tenant_id.uuid(), TenantCommand::Activate { at: at(6) }).await;
    }

    async fn configure(&self, kind: IntegrationKind, version: u128) {
        let tenant_id = self.tenant();
        let secret = |(nth, name): (usize, &_)| SecretRef {
            name: *name,
            secret_id: SecretId::from(Uuid::from_u128(
                0x4000 + self.number * 0x1000 + (kind as u128) * 0x100 + version * 0x10 + nth as u128,
            )),
        };
        let secrets = kind.required_secrets().iter().enumerate().map(secret).collect();
        let configure = Configure { tenant_id, settings: settings(kind), secrets, expected: None, at: at(3) };
        let id = IntegrationId::of(tenant_id, kind).uuid();
        self.tell::<IntegrationConfig>(id, IntegrationCommand::Configure(configure)).await;
    }

    /// amoCRM is let in, its tokens are renewed, lost, and given again; the check of before stands until then.
    async fn connect_amocrm(&self) {
        let id = IntegrationId::of(self.tenant(), IntegrationKind::Amocrm).uuid();
        let secret = |nth: u128| SecretId::from(Uuid::from_u128(0x9000 + self.number * 0x1000 + nth));
        let base_url: BaseUrl = "https://service.example".parse().unwrap();
        let settings = IntegrationSettings::Amocrm { base_url: base_url.clone(), client_id: Some("app".into()) };
        let secrets = vec![SecretRef { name: SecretName::ClientSecret, secret_id: secret(0) }];
        let configure = Configure { tenant_id: self.tenant(), settings, secrets, expected: None, at: at(3) };
        let tokens =
            |nth| TokenPairRef { access_token: secret(nth), refresh_token: secret(nth + 1), expires_at: at(9) };
        let authorize = |nth, at| {
            let (client_id, base_url, authorized_by) = ("app".to_owned(), base_url.clone(), self.user());
            let tokens = tokens(nth);
            IntegrationCommand::Authorize(Authorize { client_id, base_url, tokens, authorized_by, at })
        };
        let renew = Renew { replaces: secret(2), base_url: base_url.clone(), tokens: tokens(3), at: at(4) };
        let reason = "Connect again.".to_owned();
        for command in [
            IntegrationCommand::Configure(configure),
            authorize(1, at(3)),
            IntegrationCommand::Renew(renew),
            IntegrationCommand::LoseAccess { refresh_token: secret(4), reason, at: at(4) },
            authorize(5, at(4)),
        ] {
            self.tell::<IntegrationConfig>(id, command).await;
        }
        self.check(IntegrationKind::Amocrm, 4, CheckOutcome::Working).await;
    }

    async fn check(&self, kind: IntegrationKind, version: u32, outcome: CheckOutcome) {
        let id = IntegrationId::of(self.tenant(), kind).uuid();
        self.tell::<IntegrationConfig>(
            id,
            IntegrationCommand::RecordCheck { version, outcome, attention: None, at: at(4) },
        )
        .await;
    }

    /// The last deals were looked at and written.
    async fn try_deals(&self) {
        let counts: BTreeMap<String, u64> = [("deals".to_owned(), 3)].into();
        let (version, outcome, at) = (1, CheckOutcome::Working, at(4));
        let tried = TrialRecord {
            version,
            trial: Trial::Deals,
            outcome: outcome.clone(),
            counts: counts.clone(),
            staged: Some("5e".repeat(32).parse().unwrap()),
            answer: None,
            model: None,
            at,
        };
        let written = WriteRecord { version, outcome, written: counts.clone(), confirmed: counts, at };
        self.try_out(IntegrationKind::Amocrm, tried).await;
        let id = IntegrationId::of(self.tenant(), IntegrationKind::Amocrm).uuid();
        self.tell::<IntegrationConfig>(id, IntegrationCommand::RecordWrite(written)).await;
    }

    /// A service was tried.
    pub(crate) async fn try_out(&self, kind: IntegrationKind, record: TrialRecord) {
        let id = IntegrationId::of(self.tenant(), kind).uuid();
        self.tell::<IntegrationConfig>(id, IntegrationCommand::RecordTrial(record)).await;
    }

    /// A run for which the AI was asked twice, at a price.
    async fn complete_run_of_two_analyses(&self, run: RunId, at: DateTime<Utc>) {
        let metered = |number| {
            let price = TokenPrice { currency: "USD".parse().unwrap(), input_minor: 30, output_minor: 250 };
            JobRunCommand::Meter(Metered {
                attempt_id: AttemptId::of(run, Step::Analyse, number),
                prompt_version: 1,
                model: "model-1".into(),
                calls: AiCalls { calls: 1, input_tokens: 40_000, output_tokens: 2_000 },
                price: Some(price),
                at,
            })
        };
        self.tell_run(run, [start(run, self.tenant(), at)]).await;
        let mut now = at;
        for step in Step::ALL {
            self.tell_run(run, [begin(step, WORKER, now)]).await;
            let mut number = 1;
            if step == Step::Analyse {
                (number, now) = (2, at + TimeDelta::seconds(10));
                self.tell_run(run, [metered(1), fail(run, step, 1, at), begin(step, WORKER, now), metered(2)]).await;
            }
            self.tell_run(run, [complete(run, step, number, now)]).await;
        }
    }

    /// A run whose eight steps are done at the first attempt.
    pub(crate) async fn complete_run(&self, run: RunId, at: DateTime<Utc>) {
        self.tell_run(run, [start(run, self.tenant(), at)]).await;
        for step in Step::ALL {
            self.tell_run(run, [begin(step, WORKER, at), complete(run, step, 1, at)]).await;
        }
    }

    pub(crate) async fn publish(&self, run_id: RunId, at: DateTime<Utc>) {
        let report = PublishReport {
            tenant_id: self.tenant(),
            run_id,
            kind: ReportKind::Daily,
            period: period(),
            headline: Personal::new("A quiet day".into()),
            summary: Personal::new("Nobody wrote.".into()),
            metrics: compute(&[], chrono_tz::UTC),
            model: "model-1".into(),
            prompt_version: Some(1),
            at,
        };
        self.tell::<Report>(ReportId::of(run_id).uuid(), ReportCommand::Publish(Box::new(report))).await;
    }

    /// A run that fails at its second step, in the last attempt. The clock went back during its first one.
    async fn failing_run(&self, run: RunId) {
        use Step::{FetchDeals, SaveDeals};
        self.tell_run(run, [start(run, self.tenant(), at(100)), begin(FetchDeals, WORKER, at(101))]).await;
        self.tell_run(run, [complete(run, FetchDeals, 1, at(100)), begin(SaveDeals, WORKER, at(103))]).await;
        self.tell_run(run, [fail(run, SaveDeals, 1, at(104)), begin(SaveDeals, WORKER, at(110))]).await;
        self.tell_run(run, [fail(run, SaveDeals, 2, at(111))]).await;
    }

    /// A run that is stopped while its first step is in progress.
    async fn cancelled_run(&self, run: RunId) {
        let begin = begin(Step::FetchDeals, WORKER, at(101));
        self.tell_run(run, [start(run, self.tenant(), at(100)), begin, JobRunCommand::Cancel { at: at(102) }]).await;
    }

    /// A run with a lost attempt, whose notification may or may not have been sent, and is sent again.
    async fn uncertain_run(&self, run: RunId) {
        let first = Step::FetchDeals;
        self.tell_run(run, [start(run, self.tenant(), at(100)), begin(first, WORKER, at(101))]).await;
        self.tell_run(run, [JobRunCommand::Abandon(attempt(run, first, 1, at(102)))]).await;
        self.tell_run(run, [begin(first, WORKER, at(103)), complete(run, first, 2, at(104))]).await;
        for step in Step::ALL.into_iter().skip(1).filter(|step| *step != Step::Notify) {
            self.tell_run(run, [begin(step, WORKER, at(105)), complete(run, step, 1, at(105))]).await;
        }
        let sending = attempt(run, Step::Notify, 1, at(108));
        self.tell_run(run, [begin(Step::Notify, WORKER, at(107)), JobRunCommand::Dispatch(sending)]).await;
        self.tell_run(run, [JobRunCommand::LeaveUncertain(sending), JobRunCommand::Resend { at: at(109) }]).await;
        self.tell_run(run, [begin(Step::Notify, WORKER, at(110))]).await;
    }
}

fn settings(kind: IntegrationKind) -> IntegrationSettings {
    let base_url = format!("https://{}.example", kind.name()).parse().unwrap();
    match kind {
        IntegrationKind::Supabase => IntegrationSettings::Supabase { base_url },
        IntegrationKind::Amocrm => IntegrationSettings::Amocrm { base_url, client_id: None },
        IntegrationKind::Radist => {
            IntegrationSettings::Radist { base_url, company_id: 7, requests_per_second: 5, phone_region: None }
        }
        IntegrationKind::Ai => IntegrationSettings::Ai {
            provider: domain::integration::AiProvider::GEMINI,
            base_url,
            model: "model-1".into(),
            prompt: "Look at the prices.".into(),
            input_token_limit: None,
            prices: domain::integration::TokenPrices::default(),
        },
        IntegrationKind::Telegram => IntegrationSettings::Telegram { base_url, chat_id: "-100123".into() },
    }
}

#[tokio::test]
async fn the_story_has_every_event_of_the_catalogue() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).live().await;
    Company::new(&test, 1).leave().await;
    let told: Vec<(String, String)> =
        sqlx::query_as("select distinct aggregate_type, event_type from events order by 1, 2")
            .fetch_all(test.pool())
            .await
            .unwrap();
    let event = |aggregate: &str, event: &str| (aggregate.to_owned(), event.to_owned());
    let mut all: Vec<(String, String)> = CATALOGUE
        .iter()
        .flat_map(|(aggregate, events)| events.iter().map(|(name, _)| event(aggregate, name)))
        .collect();
    all.sort();
    assert_eq!(told, all);
}
