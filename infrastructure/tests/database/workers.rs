//! Workers' signs of life, and the attempts of those that gave no more.

use application::ports::queue::{AbandonedAttempt, StepQueue, WorkerIdentity};
use domain::ids::AttemptId;
use domain::job_run::Step;
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, begin, count, on_run, run, start, tenant};
use crate::step_queue::worker;

fn named(number: u128, name: &str) -> WorkerIdentity {
    WorkerIdentity { name: Some(name.into()), ..worker(number) }
}

/// A run whose first step is in progress at a worker.
async fn running(test: &TestDatabase, number: u128, worker: Uuid) -> AbandonedAttempt {
    on_run(test, tenant(1), run(number), start(run(number), tenant(1), at(0))).await;
    on_run(test, tenant(1), run(number), begin(Step::FetchDeals, worker, at(1))).await;
    test.catch_up().await;
    let attempt_id = AttemptId::of(run(number), Step::FetchDeals, 1);
    AbandonedAttempt { tenant_id: tenant(1), run_id: run(number), attempt_id }
}

#[tokio::test]
async fn an_attempt_is_abandoned_when_its_worker_s_life_is_over() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    queue.beat(&worker(1), at(10)).await.unwrap();
    let attempt = running(&test, 1, worker(1).id).await;
    assert_eq!(queue.abandoned(at(9), None).await.unwrap(), []);
    assert_eq!(queue.abandoned(at(10), None).await.unwrap(), [attempt]);
    // It was only slow: the next sign of life makes the attempt its own again.
    queue.beat(&worker(1), at(30)).await.unwrap();
    assert_eq!(queue.abandoned(at(20), None).await.unwrap(), []);
}

#[tokio::test]
async fn a_dead_worker_s_attempt_is_found_beside_a_living_one_s() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    queue.beat(&worker(1), at(10)).await.unwrap();
    queue.beat(&worker(2), at(100)).await.unwrap();
    let dead = running(&test, 1, worker(1).id).await;
    running(&test, 2, worker(2).id).await;
    assert_eq!(queue.abandoned(at(50), None).await.unwrap(), [dead]);
}

#[tokio::test]
async fn an_attempt_of_a_worker_that_nobody_knows_is_abandoned() {
    let test = TestDatabase::new().await;
    let attempt = running(&test, 1, worker(1).id).await;
    assert_eq!(test.step_queue().abandoned(at(2), None).await.unwrap(), [attempt]);
}

#[tokio::test]
async fn a_step_that_waits_is_nobody_s_attempt() {
    let test = TestDatabase::new().await;
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    test.catch_up().await;
    assert_eq!(test.step_queue().abandoned(at(100), None).await.unwrap(), []);
}

#[tokio::test]
async fn a_new_process_of_a_name_ends_the_life_and_the_claims_of_the_one_before_it() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    queue.beat(&named(1, "folder-a"), at(1_000)).await.unwrap();
    queue.beat(&named(2, "folder-b"), at(1_000)).await.unwrap();
    let attempt = running(&test, 1, worker(1).id).await;
    running(&test, 2, worker(2).id).await;
    for (number, holder) in [(3, 1), (4, 2)] {
        on_run(&test, tenant(1), run(number), start(run(number), tenant(1), at(0))).await;
        test.catch_up().await;
        let limits = application::ports::queue::ClaimLimits { steps: 1, per_tenant: 100, tenant: None };
        assert_eq!(queue.claim(&worker(holder), at(5), at(900), limits).await.unwrap().len(), 1);
    }
    queue.beat(&named(3, "folder-a"), at(1_000)).await.unwrap();
    assert_eq!(queue.abandoned(at(6), None).await.unwrap(), [attempt], "long before the end of its time");
    let claims: Vec<Uuid> = sqlx::query_scalar("select worker from step_claims").fetch_all(test.pool()).await.unwrap();
    assert_eq!(claims, [worker(2).id], "the other worker keeps its claim");
}

#[tokio::test]
async fn workers_without_a_name_leave_each_other_alone() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    queue.beat(&worker(1), at(100)).await.unwrap();
    running(&test, 1, worker(1).id).await;
    queue.beat(&worker(2), at(100)).await.unwrap();
    assert_eq!(queue.abandoned(at(50), None).await.unwrap(), []);
    assert_eq!(count(test.pool(), "workers").await, 2);
}

#[tokio::test]
async fn workers_that_are_dead_for_a_day_are_forgotten() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    queue.beat(&worker(1), at(0)).await.unwrap();
    queue.beat(&worker(2), at(86_401)).await.unwrap();
    assert_eq!(count(test.pool(), "workers").await, 1);
}

/// A living worker asks for this to find attempts whose beginning or end it could not be told.
#[tokio::test]
async fn a_worker_finds_what_the_queue_shows_in_progress_at_it() {
    let test = TestDatabase::new().await;
    let queue = test.step_queue();
    let mine = running(&test, 1, worker(1).id).await;
    running(&test, 2, worker(2).id).await;
    assert_eq!(queue.in_progress_at(&worker(1)).await.unwrap(), [mine]);
    assert_eq!(queue.in_progress_at(&worker(3)).await.unwrap(), []);
}
