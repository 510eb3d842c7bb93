//! Runs of tenants that are kept out are stopped, once each, whatever becomes of those who stop them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use application::pipeline::RunStopper;
use application::ports::commands::{Commands, Expect, Recorded};
use application::ports::read_models::{PageRequest, TenantFilter, TenantStatus, Tenants};
use application::{CommandError, PlatformScope, PortError, RequestContext};
use async_trait::async_trait;
use domain::access::PlatformPermission;
use domain::ids::RunId;
use domain::job_run::{JobRun, JobRunCommand, JobRunError, JobRunEvent};
use domain::tenant::{Tenant, TenantCommand};
use infrastructure::event_store::LogCommands;
use infrastructure::read_models::tenants::TenantsReader;
use infrastructure::system::{SystemClock, SystemIds};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, on_run, start, tenant};
use crate::story::Company;

fn operator() -> PlatformScope {
    let operator = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(3));
    operator.authorize_platform(PlatformPermission::TenantsRead).unwrap()
}

/// A log that answers so often, and then never again.
struct Killed {
    log: LogCommands<JobRun>,
    left: AtomicUsize,
}

#[async_trait]
impl Commands<JobRun> for Killed {
    async fn execute_expecting(
        &self,
        context: &RequestContext,
        id: Uuid,
        expect: Expect,
        command: JobRunCommand,
    ) -> Result<Recorded<JobRunEvent>, CommandError<JobRunError>> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            std::future::pending::<()>().await;
        }
        self.log.execute_expecting(context, id, expect, command).await
    }

    async fn first_outcome(
        &self,
        context: &RequestContext,
    ) -> Result<Option<Recorded<JobRunEvent>>, CommandError<JobRunError>> {
        self.log.first_outcome(context).await
    }

    async fn load(&self, id: Uuid) -> Result<JobRun, PortError> {
        self.log.load(id).await
    }
}

fn stopper(test: &TestDatabase, answers: usize) -> RunStopper {
    let log = Killed { log: test.commands(), left: AtomicUsize::new(answers) };
    RunStopper {
        runs: Arc::new(log),
        queue: Arc::new(test.step_queue()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    }
}

async fn begin(test: &TestDatabase, company: &Company<'_>, n: u128) -> RunId {
    on_run(test, company.tenant(), company.run(n), start(company.run(n), company.tenant(), at(10))).await;
    company.run(n)
}

async fn is_cancelled(test: &TestDatabase, run: RunId) -> bool {
    matches!(test.commands::<JobRun>().load(run.uuid()).await.unwrap(), JobRun::Cancelled(_))
}

async fn cancelled(test: &TestDatabase) -> i64 {
    let sql = "select count(*) from events where event_type = 'RunCancelled'";
    sqlx::query_scalar(sql).fetch_one(test.pool()).await.unwrap()
}

fn suspend() -> TenantCommand {
    TenantCommand::Suspend { reason: "Unpaid bills.".parse().unwrap(), at: at(20) }
}

/// Seen to fail: with a queue that answers with runs of tenants that are in use.
#[tokio::test]
async fn each_run_is_stopped_once_however_often_it_is_found_and_whoever_is_killed() {
    let test = TestDatabase::new().await;
    let (company, other) = (Company::new(&test, 1), Company::new(&test, 2));
    company.set_up().await;
    other.set_up().await;
    let runs = [begin(&test, &company, 1).await, begin(&test, &company, 2).await, begin(&test, &company, 3).await];
    let untouched = begin(&test, &other, 1).await;
    company.tell::<Tenant>(company.tenant().uuid(), suspend()).await;
    test.catch_up().await;
    let killed = stopper(&test, 1);
    assert!(tokio::time::timeout(Duration::from_secs(1), killed.look()).await.is_err(), "it is killed at the second");
    assert_eq!(cancelled(&test).await, 1);
    // The read models are not fed meanwhile, so that everything is found again by each.
    for _ in 0..2 {
        stopper(&test, usize::MAX).look().await.unwrap();
    }
    assert_eq!(cancelled(&test).await, 3);
    for run in runs {
        assert!(is_cancelled(&test, run).await);
    }
    assert!(!is_cancelled(&test, untouched).await);
}

/// Seen to fail: as the one above.
#[tokio::test]
async fn a_run_that_began_too_late_is_stopped_and_one_after_the_suspension_is_not() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    company.tell::<Tenant>(company.tenant().uuid(), suspend()).await;
    let late = begin(&test, &company, 1).await;
    test.catch_up().await;
    stopper(&test, usize::MAX).look().await.unwrap();
    assert!(is_cancelled(&test, late).await);
    company.tell::<Tenant>(company.tenant().uuid(), TenantCommand::Resume { at: at(30) }).await;
    let next = begin(&test, &company, 2).await;
    test.catch_up().await;
    stopper(&test, usize::MAX).look().await.unwrap();
    assert!(!is_cancelled(&test, next).await);
}

#[tokio::test]
async fn tenants_are_listed_newest_first_by_situation_and_by_a_part_of_their_names() {
    let test = TestDatabase::new().await;
    for n in 1..=3 {
        Company::new(&test, n).set_up().await;
    }
    Company::new(&test, 2).tell::<Tenant>(tenant(2).uuid(), suspend()).await;
    test.catch_up().await;
    let reader = TenantsReader::new(test.database());
    let listed = async |filter: TenantFilter| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = reader.list(&operator(), &filter, PageRequest { after, limit: 2 }).await.unwrap();
            found.extend(page.items.into_iter().map(|tenant| tenant.id));
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    assert_eq!(listed(TenantFilter::default()).await, [tenant(3), tenant(2), tenant(1)]);
    let of = |status| TenantFilter { status: Some(status), text: None };
    assert_eq!(listed(of(TenantStatus::Suspended)).await, [tenant(2)]);
    assert_eq!(listed(of(TenantStatus::Active)).await, [tenant(3), tenant(1)]);
    let named = |text: &str| TenantFilter { status: None, text: Some(text.into()) };
    assert_eq!(listed(named("PANY-3")).await, [tenant(3)]);
    assert!(listed(named("%")).await.is_empty(), "a part, not a pattern");
}
