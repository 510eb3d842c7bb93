//! What the read models answer: whole lists, page by page, and never another tenant's rows.

use std::collections::BTreeMap;

use application::TenantScope;
use application::ports::read_models::{
    Cursor, Integrations, Page, PageRequest, Reports, RunStatus, Runs, StepStatus, Users,
};
use chrono::{DateTime, Utc};
use domain::access::{Permission, RoleName};
use domain::ids::{ReportId, TenantId};
use domain::integration::{CheckOutcome, IntegrationKind, Trial, TrialRecord};
use domain::job_run::Step;
use domain::user::Membership;
use infrastructure::read_models::integrations::IntegrationsReader;
use infrastructure::read_models::reports::ReportsReader;
use infrastructure::read_models::runs::RunsReader;
use infrastructure::read_models::users::UsersReader;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, context, on_run, run, start, tenant, user};
use crate::story::Company;

pub(crate) fn scope(tenant: TenantId) -> TenantScope {
    context(tenant).authorize(Permission::ReportsRead).unwrap()
}

/// All pages of a list, and how long each was.
async fn all_pages<T>(limit: u64, mut list: impl AsyncFnMut(PageRequest) -> Page<T>) -> (Vec<T>, Vec<usize>) {
    let (mut items, mut sizes, mut after) = (Vec::new(), Vec::new(), None::<Cursor>);
    loop {
        let page = list(PageRequest { after, limit }).await;
        sizes.push(page.items.len());
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            return (items, sizes);
        }
    }
}

/// Newest first; of equal times the higher id first.
fn newest_first(mut places: Vec<(DateTime<Utc>, Uuid)>) -> Vec<(DateTime<Utc>, Uuid)> {
    places.sort();
    places.reverse();
    places
}

#[tokio::test]
async fn runs_are_listed_newest_first_each_on_one_page() {
    let test = TestDatabase::new().await;
    let mut started = Vec::new();
    // Three times, with three runs at each, so that pages of two end between equal times.
    for n in 0..9_u128 {
        let (run, time) = (run(n), at(i64::try_from(n % 3).unwrap()));
        on_run(&test, tenant(1), run, start(run, tenant(1), time)).await;
        started.push((time, run.uuid()));
    }
    on_run(&test, tenant(2), run(50), start(run(50), tenant(2), at(1))).await;
    test.catch_up().await;
    let reader = RunsReader::new(test.database());
    for (limit, expected_sizes) in [(1, vec![1; 9]), (2, vec![2, 2, 2, 2, 1]), (3, vec![3; 3]), (100, vec![9])] {
        let list = async |page| reader.list(&scope(tenant(1)), page).await.unwrap();
        let (runs, sizes) = all_pages(limit, list).await;
        let listed: Vec<_> = runs.iter().map(|run| (run.started_at, run.id.uuid())).collect();
        assert_eq!(listed, newest_first(started.clone()), "pages of {limit}");
        assert_eq!(sizes, expected_sizes, "no empty last page");
        assert!(runs.iter().all(|run| run.steps.len() == 8));
    }
}

#[tokio::test]
async fn reports_are_listed_newest_first_each_on_one_page() {
    let test = TestDatabase::new().await;
    let (company, other) = (Company::new(&test, 1), Company::new(&test, 2));
    let mut published = Vec::new();
    for n in 0..7_u128 {
        let time = at(i64::try_from(n / 3).unwrap());
        company.publish(company.run(n), time).await;
        published.push((time, ReportId::of(company.run(n)).uuid()));
    }
    other.publish(other.run(1), at(1)).await;
    test.catch_up().await;
    let reader = ReportsReader::new(test.database());
    for limit in [1, 2, 3, 7] {
        let list = async |page| reader.list(&scope(company.tenant()), page).await.unwrap();
        let (reports, _) = all_pages(limit, list).await;
        let listed: Vec<_> = reports.iter().map(|report| (report.published_at, report.id.uuid())).collect();
        assert_eq!(listed, newest_first(published.clone()), "pages of {limit}");
    }
}

#[tokio::test]
async fn another_tenant_s_rows_are_not_there() {
    let test = TestDatabase::new().await;
    let (company, other) = (Company::new(&test, 1), Company::new(&test, 2));
    company.live().await;
    other.set_up().await;
    test.catch_up().await;
    let (mine, theirs) = (scope(company.tenant()), scope(other.tenant()));
    let (runs, reports) = (RunsReader::new(test.database()), ReportsReader::new(test.database()));
    let (run, report) = (company.run(1), ReportId::of(company.run(1)));
    assert_eq!(runs.get(&mine, run).await.unwrap().item.unwrap().id, run);
    assert_eq!(runs.get(&theirs, run).await.unwrap().item, None);
    assert_eq!(reports.get(&mine, report).await.unwrap().item.unwrap().run_id, run);
    assert_eq!(reports.get(&theirs, report).await.unwrap().item, None);
    let page = PageRequest { after: None, limit: 10 };
    assert!(runs.list(&theirs, page).await.unwrap().items.is_empty());
    assert!(reports.list(&theirs, page).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn integrations_show_the_newest_settings_and_what_the_check_of_them_found() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    Company::new(&test, 2).set_up().await;
    test.catch_up().await;
    let listed = IntegrationsReader::new(test.database()).list(&scope(company.tenant())).await.unwrap();
    assert_eq!(listed.len(), IntegrationKind::ALL.len(), "this tenant's only");
    let of = |kind| listed.iter().find(|integration| integration.kind == kind).unwrap();
    assert_eq!(of(IntegrationKind::Amocrm).checked, Some(CheckOutcome::Working));
    assert!(matches!(of(IntegrationKind::Radist).checked, Some(CheckOutcome::Failing { .. })));
    assert_eq!(of(IntegrationKind::Telegram).checked, None);
    // Saved anew after its check failed: nothing is known of the new version yet.
    let ai = of(IntegrationKind::Ai);
    assert_eq!((ai.version, &ai.checked), (2, &None));
}

/// A trial that asked other services first may have failed because of them.
#[tokio::test]
async fn a_trial_counts_as_a_check_where_it_shows_as_much_of_the_service() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    let failing = || CheckOutcome::Failing { reason: "It did not answer.".into() };
    let deals = |count: u64| BTreeMap::from([("deals".to_owned(), count)]);
    for (kind, trial, version, outcome, counts, shown) in [
        (IntegrationKind::Amocrm, Trial::Deals, 4, failing(), deals(0), Some(failing())),
        (IntegrationKind::Amocrm, Trial::Deals, 4, CheckOutcome::Working, deals(3), Some(CheckOutcome::Working)),
        (IntegrationKind::Supabase, Trial::Schema, 1, CheckOutcome::Working, deals(0), None),
        (IntegrationKind::Supabase, Trial::Schema, 1, failing(), deals(0), Some(failing())),
        (IntegrationKind::Telegram, Trial::Report, 1, failing(), deals(0), None),
        (IntegrationKind::Telegram, Trial::Message, 1, failing(), deals(0), Some(failing())),
        (IntegrationKind::Telegram, Trial::Report, 1, CheckOutcome::Working, deals(0), Some(CheckOutcome::Working)),
        (IntegrationKind::Ai, Trial::Analysis, 2, failing(), deals(0), None),
        (IntegrationKind::Ai, Trial::Analysis, 2, CheckOutcome::Working, deals(0), Some(CheckOutcome::Working)),
        (IntegrationKind::Radist, Trial::Dialogues, 1, CheckOutcome::Working, deals(0), Some(unaccepted())),
        (IntegrationKind::Radist, Trial::Dialogues, 1, CheckOutcome::Working, deals(3), Some(CheckOutcome::Working)),
    ] {
        let (staged, answer, model, at) = (None, None, None, at(60));
        company.try_out(kind, TrialRecord { version, trial, outcome, counts, staged, answer, model, at }).await;
        test.catch_up().await;
        let listed = IntegrationsReader::new(test.database()).list(&scope(company.tenant())).await.unwrap();
        let found = listed.into_iter().find(|integration| integration.kind == kind).unwrap();
        assert_eq!(found.checked, shown, "{kind:?} {trial:?}");
        let is_new = shown.is_some_and(|shown| shown != unaccepted());
        assert_eq!(found.checked_at == Some(at), is_new, "{kind:?} {trial:?}");
    }
}

/// What the check of Radist has found.
fn unaccepted() -> CheckOutcome {
    CheckOutcome::Failing { reason: "The key is not accepted.".into() }
}

#[tokio::test]
async fn users_are_found_by_id() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.set_up().await;
    test.catch_up().await;
    let reader = UsersReader::new(test.database());
    let own = scope(company.tenant());
    let ann = reader.get(&own, company.user()).await.unwrap().item.unwrap();
    let owner = Membership::Tenant { tenant_id: company.tenant(), role: RoleName::owner() };
    assert_eq!((ann.id, ann.membership.clone()), (company.user(), owner));
    assert_eq!(reader.get(&own, user(404)).await.unwrap().item, None);
    assert_eq!(reader.get(&scope(tenant(404)), company.user()).await.unwrap().item, None, "another company's");
    let all = reader.list(&own, PageRequest { after: None, limit: 10 }).await.unwrap();
    assert_eq!((all.items, all.next), (vec![ann], None));
}

#[tokio::test]
async fn a_run_s_steps_tell_what_happened_to_them() {
    let test = TestDatabase::new().await;
    let company = Company::new(&test, 1);
    company.live().await;
    test.catch_up().await;
    let reader = RunsReader::new(test.database());
    let get = async |n| reader.get(&scope(company.tenant()), company.run(n)).await.unwrap().item.unwrap();

    let completed = get(1).await;
    assert_eq!((completed.status, completed.finished_at), (RunStatus::Completed, Some(at(110))));
    assert_eq!(completed.steps.iter().map(|step| step.step).collect::<Vec<_>>(), Step::ALL);
    let done = |step: &application::ports::read_models::StepView| {
        (step.status, step.attempts, step.elapsed_ms, step.counts.get("deals").copied())
    };
    for step in &completed.steps {
        let attempts = if step.step == Step::Analyse { 2 } else { 1 };
        assert_eq!(done(step), (StepStatus::Completed, attempts, Some(0), Some(3)), "{:?}", step.step);
    }

    let failed = get(2).await;
    let step = &failed.steps[1];
    assert_eq!(failed.steps[0].elapsed_ms, Some(0), "the clock went back");
    assert_eq!((failed.status, step.status, step.attempts), (RunStatus::Failed, StepStatus::Failed, 2));
    assert_eq!((step.elapsed_ms, step.retry_at), (Some(1_000), None));
    let failure = step.failure.as_ref().unwrap();
    assert_eq!(
        (failure.message.as_str(), failure.advice.as_str()),
        ("The service did not answer.", "Wait, or ask the provider.")
    );
    assert!(failed.steps[2..].iter().all(|step| step.status == StepStatus::Waiting));

    let cancelled = get(3).await;
    assert_eq!((cancelled.status, cancelled.finished_at), (RunStatus::Cancelled, Some(at(102))));
    assert!(cancelled.steps.iter().all(|step| step.status == StepStatus::Cancelled));

    let reopened = get(4).await;
    assert_eq!((reopened.status, reopened.finished_at), (RunStatus::Running, None));
    assert_eq!((reopened.steps[0].attempts, reopened.steps[0].elapsed_ms), (2, Some(1_000)), "the last attempt's time");
    assert_eq!((reopened.steps[7].status, reopened.steps[7].attempts), (StepStatus::Running, 2));
}
