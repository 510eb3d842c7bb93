//! Small values that the tests speak in.

use std::time::Duration;

use application::RequestContext;
use application::ports::commands::{Commands, Recorded};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::RoleName;
use domain::ids::{AttemptId, RunId, TenantId, UserId};
use domain::job_run::{
    Attempt, Failure, FailureClass, JobRun, JobRunCommand, JobRunEvent, RetryPolicy, StartRun, Step, StepOutput,
};
use domain::period::{DayBorder, Period};
use domain::report::ReportKind;
use domain::tenant::{ProvisionTenant, TenantCommand};
use domain::user::{RegisterUser, UserCommand};
use domain::values::{Language, Personal};
use sqlx::PgPool;
use testkit::TestDatabase;
use uuid::Uuid;

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    "2026-06-02T01:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

pub(crate) fn tenant(number: u128) -> TenantId {
    Uuid::from_u128(0x1000 + number).into()
}

pub(crate) fn user(number: u128) -> UserId {
    Uuid::from_u128(0x2000 + number).into()
}

pub(crate) fn run(number: u128) -> RunId {
    Uuid::from_u128(0x3000 + number).into()
}

/// Work of the system for a tenant.
pub(crate) fn context(tenant: TenantId) -> RequestContext {
    RequestContext::for_system("tests", tenant, Uuid::from_u128(0xa), Uuid::from_u128(0xb))
}

pub(crate) fn provision(tenant_id: TenantId, slug: &str) -> TenantCommand {
    TenantCommand::Provision(ProvisionTenant {
        tenant_id,
        name: format!("Company {slug}").parse().unwrap(),
        slug: slug.parse().unwrap(),
        language: Language::English,
        at: at(0),
    })
}

pub(crate) fn register(user_id: UserId, tenant_id: TenantId, email: &str) -> UserCommand {
    UserCommand::Register(RegisterUser {
        user_id,
        tenant_id,
        email: Personal::new(email.parse().unwrap()),
        name: Personal::new("Ann Example".parse().unwrap()),
        role: RoleName::owner(),
        at: at(1),
    })
}

pub(crate) fn day() -> DayBorder {
    DayBorder { time_zone: chrono_tz::UTC, starts_at: "00:00:00".parse().unwrap() }
}

pub(crate) fn period() -> Period {
    Period { from: at(-90_000), to: at(-3_600) }
}

/// Two attempts, then the run fails; a run outlives three dead workers.
pub(crate) fn start(run_id: RunId, tenant_id: TenantId, at: DateTime<Utc>) -> JobRunCommand {
    JobRunCommand::Start(StartRun {
        run_id,
        tenant_id,
        kind: ReportKind::Daily,
        period: period(),
        day: day(),
        config: vec![],
        policy: RetryPolicy { max_attempts: 2, first_delay_ms: 1_000, max_delay_ms: 60_000, max_lost: 3 },
        at,
    })
}

pub(crate) fn begin(step: Step, worker: Uuid, at: DateTime<Utc>) -> JobRunCommand {
    JobRunCommand::Begin { step, worker: worker.to_string(), at }
}

pub(crate) fn attempt(run: RunId, step: Step, number: u32, at: DateTime<Utc>) -> Attempt {
    Attempt { attempt_id: AttemptId::of(run, step, number), at }
}

pub(crate) fn complete(run: RunId, step: Step, number: u32, at: DateTime<Utc>) -> JobRunCommand {
    JobRunCommand::Complete { attempt: attempt(run, step, number, at), output: StepOutput::counts([("deals", 3)]) }
}

pub(crate) fn fail(run: RunId, step: Step, number: u32, at: DateTime<Utc>) -> JobRunCommand {
    let failure = Failure {
        class: FailureClass::Transient,
        message: "The service did not answer.".into(),
        advice: "Wait, or ask the provider.".into(),
        retry_after_ms: None,
    };
    JobRunCommand::Fail { attempt: attempt(run, step, number, at), failure, jitter: 1.0 }
}

/// Records a command of a run, which must be accepted.
pub(crate) async fn on_run(
    test: &TestDatabase,
    tenant: TenantId,
    run: RunId,
    command: JobRunCommand,
) -> Recorded<JobRunEvent> {
    test.commands::<JobRun>().execute(&context(tenant), run.uuid(), command).await.unwrap()
}

/// Rows of a table.
pub(crate) async fn count(pool: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(&format!("select count(*) from {table}")).fetch_one(pool).await.unwrap()
}

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut met: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !met().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Looks until another connection to this test's tables waits for a row of a transaction that is open.
pub(crate) async fn until_someone_waits(test: &TestDatabase) {
    let waiting = "select exists (
        select from pg_locks waiting join pg_locks holding using (pid)
        where not waiting.granted and holding.relation in (
            select oid from pg_class where relnamespace = current_schema()::regnamespace))";
    let look = async || sqlx::query_scalar(waiting).fetch_one(test.pool()).await.unwrap();
    until("someone waits", look).await;
}
