//! Sharing out due steps: fairly, each to one worker, and not before their time.

use std::collections::BTreeSet;

use application::ports::queue::{ClaimLimits, DueStep, StepQueue, WorkerIdentity};
use chrono::{DateTime, Utc};
use domain::ids::RunId;
use domain::job_run::Step;
use infrastructure::step_queue::PgStepQueue;
use sqlx::Acquire;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, begin, complete, count, fail, on_run, run, start, tenant, until_someone_waits};

pub(crate) fn worker(number: u128) -> WorkerIdentity {
    WorkerIdentity { id: Uuid::from_u128(0x5000 + number), name: None }
}

const MANY: ClaimLimits = ClaimLimits { steps: 100, per_tenant: 100, tenant: None };

fn limits(steps: usize, per_tenant: usize) -> ClaimLimits {
    ClaimLimits { steps, per_tenant, tenant: None }
}

/// Runs of a tenant, started one second after the other; the queue has seen them.
async fn runs(test: &TestDatabase, owner: u128, numbers: impl IntoIterator<Item = u128>) {
    for (second, number) in (0..).zip(numbers) {
        on_run(test, tenant(owner), run(number), start(run(number), tenant(owner), at(second))).await;
    }
    test.catch_up().await;
}

/// A claim of one minute.
async fn claim(queue: &PgStepQueue, number: u128, now: DateTime<Utc>, limits: ClaimLimits) -> Vec<DueStep> {
    queue.claim(&worker(number), now, now + chrono::TimeDelta::minutes(1), limits).await.unwrap()
}

fn ids(steps: &[DueStep]) -> BTreeSet<RunId> {
    steps.iter().map(|step| step.run_id).collect()
}

#[tokio::test]
async fn a_due_step_goes_to_one_worker() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1]).await;
    let queue = test.step_queue();
    let claimed = claim(&queue, 1, at(10), MANY).await;
    assert_eq!(claimed, [DueStep { tenant_id: tenant(1), run_id: run(1), step: Step::FetchDeals }]);
    assert_eq!(claim(&queue, 2, at(10), MANY).await, []);
    assert_eq!(claim(&queue, 1, at(10), MANY).await, [], "not even to the same worker a second time");
}

/// The second worker looks before the first one's claim is there, and claims after it.
///
/// Seen to fail: with a claim that replaces whatever claim is there, both workers got the step.
#[tokio::test]
async fn a_step_that_is_being_claimed_goes_to_nobody_else() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    runs(&test, 1, [1]).await;
    let mut connection = other.pool().acquire().await.unwrap();
    let mut first = connection.begin().await.unwrap();
    sqlx::query("insert into step_claims (run_id, worker, until) values ($1, $2, $3)")
        .bind(run(1).uuid())
        .bind(worker(1).id)
        .bind(at(100))
        .execute(&mut *first)
        .await
        .unwrap();
    let queue = test.step_queue();
    let second = tokio::spawn(async move { claim(&queue, 2, at(10), MANY).await });
    until_someone_waits(&test).await;
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), []);
}

#[tokio::test]
async fn workers_that_claim_at_once_never_get_the_same_step() {
    let test = TestDatabase::new().await;
    for owner in 1..=4 {
        runs(&test, owner, owner * 0x100..owner * 0x100 + 10).await;
    }
    let workers = (0..8).map(|number| {
        let queue = test.step_queue();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for _ in 0..10 {
                mine.extend(claim(&queue, number, at(60), limits(3, 100)).await);
            }
            mine
        })
    });
    let mut all = Vec::new();
    for claimed in futures::future::join_all(workers).await {
        all.extend(claimed.unwrap());
    }
    assert_eq!(ids(&all).len(), all.len(), "a step went to two workers");
    assert_eq!(all.len(), 40, "every step went to one");
    assert_eq!(count(test.pool(), "step_claims").await, 40);
}

/// Seen to fail: ordered by `ready_at` alone, the tenant with one run was not in the claim.
#[tokio::test]
async fn a_tenant_with_fifty_runs_does_not_delay_another_s_one() {
    let test = TestDatabase::new().await;
    runs(&test, 1, 0x100..0x100 + 50).await;
    on_run(&test, tenant(2), run(1), start(run(1), tenant(2), at(59))).await;
    test.catch_up().await;
    let claimed = claim(&test.step_queue(), 1, at(60), limits(4, 100)).await;
    assert_eq!(claimed.len(), 4);
    assert!(ids(&claimed).contains(&run(1)), "{claimed:?}");
}

#[tokio::test]
async fn what_a_tenant_has_in_progress_counts_against_it() {
    let test = TestDatabase::new().await;
    runs(&test, 1, 0x100..0x105).await;
    runs(&test, 2, 0x200..0x205).await;
    let queue = test.step_queue();
    // Two steps of tenant 1 are running, one of tenant 2 is claimed.
    for number in [0x100, 0x101] {
        on_run(&test, tenant(1), run(number), begin(Step::FetchDeals, worker(1).id, at(10))).await;
    }
    test.catch_up().await;
    let first = claim(&queue, 2, at(20), limits(1, 100)).await;
    assert_eq!(first[0].tenant_id, tenant(2));
    // Tenant 2 comes to two before tenant 1 gets its third; then they take turns.
    let next = claim(&queue, 2, at(20), limits(3, 100)).await;
    let of_second = next.iter().filter(|step| step.tenant_id == tenant(2)).count();
    assert_eq!((next.len(), of_second), (3, 2), "{next:?}");
}

#[tokio::test]
async fn a_tenant_has_no_more_steps_in_progress_than_its_limit() {
    let test = TestDatabase::new().await;
    runs(&test, 1, 0x100..0x105).await;
    runs(&test, 2, 0x200..0x202).await;
    let queue = test.step_queue();
    on_run(&test, tenant(1), run(0x100), begin(Step::FetchDeals, worker(9).id, at(10))).await;
    test.catch_up().await;
    let claimed = claim(&queue, 1, at(20), limits(100, 2)).await;
    let of_first = claimed.iter().filter(|step| step.tenant_id == tenant(1)).count();
    assert_eq!((claimed.len(), of_first), (3, 1), "one of the first tenant's two is running already");
    assert_eq!(claim(&queue, 2, at(20), limits(100, 2)).await, [], "over all workers");
    // The running step is done, so there is room for one more; the run's next step waits behind older ones.
    on_run(&test, tenant(1), run(0x100), complete(run(0x100), Step::FetchDeals, 1, at(21))).await;
    test.catch_up().await;
    assert_eq!(claim(&queue, 2, at(22), limits(100, 2)).await.len(), 1);
}

#[tokio::test]
async fn a_step_is_not_claimed_before_its_time() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1]).await;
    let queue = test.step_queue();
    let first = Step::FetchDeals;
    on_run(&test, tenant(1), run(1), begin(first, worker(1).id, at(1))).await;
    on_run(&test, tenant(1), run(1), fail(run(1), first, 1, at(2))).await;
    test.catch_up().await;
    // The policy's first delay is one second.
    assert_eq!(claim(&queue, 1, at(2), MANY).await, []);
    assert_eq!(ids(&claim(&queue, 1, at(3), MANY).await), BTreeSet::from([run(1)]));
}

#[tokio::test]
async fn a_step_in_progress_or_of_an_ended_run_is_not_claimed() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1, 2]).await;
    on_run(&test, tenant(1), run(1), begin(Step::FetchDeals, worker(1).id, at(2))).await;
    let cancel = domain::job_run::JobRunCommand::Cancel { at: at(2) };
    on_run(&test, tenant(1), run(2), cancel).await;
    test.catch_up().await;
    assert_eq!(claim(&test.step_queue(), 2, at(10), MANY).await, []);
}

#[tokio::test]
async fn a_claim_ends_at_its_time() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1]).await;
    let queue = test.step_queue();
    queue.claim(&worker(1), at(10), at(20), MANY).await.unwrap();
    assert_eq!(claim(&queue, 2, at(19), MANY).await, []);
    assert_eq!(ids(&claim(&queue, 2, at(20), MANY).await), BTreeSet::from([run(1)]));
    assert_eq!(claim(&queue, 1, at(21), MANY).await, [], "it is the second worker's now");
}

#[tokio::test]
async fn a_released_step_is_free_and_only_its_holder_can_release_it() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1]).await;
    let queue = test.step_queue();
    assert_eq!(claim(&queue, 1, at(10), MANY).await.len(), 1);
    queue.release(&worker(2), run(1), None).await.unwrap();
    assert_eq!(claim(&queue, 2, at(10), MANY).await, [], "another worker's release changes nothing");
    queue.release(&worker(1), run(1), None).await.unwrap();
    assert_eq!(claim(&queue, 2, at(10), MANY).await.len(), 1);
}

/// Otherwise the claim would be gone while the queue still shows the step as waiting, and it would be claimed again.
#[tokio::test]
async fn a_claim_is_held_until_the_queue_has_seen_what_became_of_it() {
    let test = TestDatabase::new().await;
    runs(&test, 1, [1]).await;
    let queue = test.step_queue();
    assert_eq!(claim(&queue, 1, at(10), MANY).await.len(), 1);
    let begun = on_run(&test, tenant(1), run(1), begin(Step::FetchDeals, worker(1).id, at(10))).await;
    let releasing = {
        let queue = test.step_queue();
        tokio::spawn(async move { queue.release(&worker(1), run(1), begun.position).await.unwrap() })
    };
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert!(!releasing.is_finished());
    assert_eq!(claim(&queue, 2, at(11), MANY).await, []);
    test.catch_up().await;
    releasing.await.unwrap();
    assert_eq!(count(test.pool(), "step_claims").await, 0);
    assert_eq!(claim(&queue, 2, at(11), MANY).await, [], "the queue shows it as running now");
}
