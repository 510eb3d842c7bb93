//! Load, decide, record; and decide anew where others were first.

use application::CommandError;
use application::ports::commands::Commands;
use domain::ErrorKind;
use domain::job_run::{JobRun, JobRunError, Step};
use domain::tenant::{Tenant, TenantError};
use domain::user::{User, UserCommand};
use domain::{Classified, tenant::TenantCommand};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::fixtures::{at, begin, context, count, on_run, provision, register, run, start, tenant, user};

/// One that loses five races has seen five others win, so of six at once none runs out of tries.
#[tokio::test]
async fn commands_that_always_apply_all_get_through() {
    let test = TestDatabase::new().await;
    test.commands::<User>()
        .execute(&context(tenant(1)), user(1).uuid(), register(user(1), tenant(1), "ann@acme.example"))
        .await
        .unwrap();
    let commands = (0..6).map(|n| {
        let users = test.commands::<User>();
        let command = UserCommand::RecordPasswordSet { at: at(n) };
        tokio::spawn(async move { users.execute(&context(tenant(1)), user(1).uuid(), command).await })
    });
    for outcome in futures::future::join_all(commands).await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(count(test.pool(), "events").await, 7);
}

#[tokio::test]
async fn what_is_reported_as_done_is_recorded_and_nothing_else() {
    let test = TestDatabase::new().await;
    test.commands::<User>()
        .execute(&context(tenant(1)), user(1).uuid(), register(user(1), tenant(1), "ann@acme.example"))
        .await
        .unwrap();
    let commands = (0..40).map(|n| {
        let users = test.commands::<User>();
        let command = UserCommand::RecordPasswordSet { at: at(n) };
        tokio::spawn(async move { (n, users.execute(&context(tenant(1)), user(1).uuid(), command).await) })
    });
    let mut done = Vec::new();
    for outcome in futures::future::join_all(commands).await {
        match outcome.unwrap() {
            (n, Ok(_)) => done.push(at(n)),
            (_, Err(error)) => assert!(matches!(error, CommandError::LostRace), "{error:?}"),
        }
    }
    let mut recorded: Vec<chrono::DateTime<chrono::Utc>> = sqlx::query_scalar(
        "select (payload ->> 'at')::timestamptz from events where event_type = 'UserPasswordSet' order by sequence",
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    recorded.sort();
    assert_eq!(recorded, done);
}

#[tokio::test]
async fn a_lost_race_is_decided_anew_by_the_rules() {
    let test = TestDatabase::new().await;
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    let workers = (0..10).map(|n| {
        let runs = test.commands::<JobRun>();
        let begin = begin(Step::FetchDeals, Uuid::from_u128(n), at(1));
        tokio::spawn(async move { runs.execute(&context(tenant(1)), run(1).uuid(), begin).await })
    });
    let mut begun = 0;
    for outcome in futures::future::join_all(workers).await {
        match outcome.unwrap() {
            Ok(_) => begun += 1,
            Err(error) => assert!(matches!(error, CommandError::Rule(JobRunError::NotDue)), "{error:?}"),
        }
    }
    assert_eq!(begun, 1, "one worker owns the attempt");
    assert_eq!(count(test.pool(), "events").await, 2);
}

#[tokio::test]
async fn another_tenant_s_aggregate_is_not_there() {
    let test = TestDatabase::new().await;
    let tenants = test.commands::<Tenant>();
    tenants.execute(&context(tenant(1)), tenant(1).uuid(), provision(tenant(1), "acme")).await.unwrap();
    let activate = TenantCommand::Activate { at: at(1) };
    let foreign = tenants.execute(&context(tenant(2)), tenant(1).uuid(), activate).await.unwrap_err();
    assert!(matches!(foreign, CommandError::Rule(TenantError::NotFound)), "{foreign:?}");
    assert_eq!(foreign.kind(), ErrorKind::NotFound, "whoever asks does not learn that it exists");
    assert_eq!(count(test.pool(), "events").await, 1);
}

#[tokio::test]
async fn nobody_makes_something_for_another_tenant() {
    let test = TestDatabase::new().await;
    let provisioned =
        test.commands::<Tenant>().execute(&context(tenant(2)), tenant(1).uuid(), provision(tenant(1), "acme")).await;
    assert!(matches!(provisioned, Err(CommandError::Rule(TenantError::NotFound))), "{provisioned:?}");
    assert_eq!(count(test.pool(), "events").await, 0);
    assert_eq!(count(test.pool(), "claims").await, 0);
}

#[tokio::test]
async fn a_refused_command_records_nothing() {
    let test = TestDatabase::new().await;
    let begin = begin(Step::FetchDeals, Uuid::from_u128(1), at(1));
    let refused = test.commands::<JobRun>().execute(&context(tenant(1)), run(1).uuid(), begin).await;
    assert!(matches!(refused, Err(CommandError::Rule(JobRunError::NotFound))), "{refused:?}");
    assert_eq!(count(test.pool(), "events").await, 0);
}

#[tokio::test]
async fn a_database_that_is_away_is_told_from_a_refusal() {
    let test = TestDatabase::new().await;
    let tenants = test.commands::<Tenant>();
    test.database().close().await;
    let away = tenants.execute(&context(tenant(1)), tenant(1).uuid(), provision(tenant(1), "acme")).await.unwrap_err();
    assert_eq!(away.kind(), ErrorKind::Unavailable, "{away:?}");
}
