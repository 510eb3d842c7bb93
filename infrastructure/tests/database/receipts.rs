//! A request that is repeated under its key gets the first outcome, and records nothing twice.

use std::time::Duration;

use application::ports::commands::{Commands, Expect, Recorded};
use application::{Client, CommandError, PortError, Principal, Receipt, RequestContext, RequestHash};
use cqrs_es::Aggregate;
use domain::access::{Permission, Rights, RoleName};
use domain::ids::{TenantId, UserId};
use domain::job_run::{JobRun, JobRunCommand, JobRunError, JobRunEvent, Step};
use domain::{Classified, ErrorKind};
use infrastructure::event_store::{Commit, LogCommands, NewEvent, NewReceipt, Receipts};
use testkit::{TestDatabase, signed_in};
use uuid::Uuid;

use crate::event_log::commit;
use crate::fixtures::{at, begin, complete, context, count, on_run, run, start, tenant, until, user};

/// A request of a user under a key; `asked` stands for what its hash is made of.
fn request(tenant_id: TenantId, user_id: UserId, key: &str, asked: u8) -> RequestContext {
    let receipt =
        Receipt { key: key.parse().unwrap(), operation: "an_operation", request_hash: RequestHash([asked; 32]) };
    let principal = Principal::of_tenant(user_id, tenant_id, RoleName::owner(), Uuid::from_u128(0xe).into());
    let (user, rights) = (signed_in(principal), Rights::everything().into());
    let request = RequestContext::for_request(user, rights, Uuid::from_u128(0xa), Client::default(), Some(receipt));
    request.authorize(Permission::RunsStart).unwrap().context().clone()
}

fn own(key: &str, asked: u8) -> RequestContext {
    request(tenant(1), user(1), key, asked)
}

type Outcome = Result<Recorded<JobRunEvent>, CommandError<JobRunError>>;

/// Starts a run of the first tenant.
async fn started(runs: &LogCommands<JobRun>, context: &RequestContext, number: u128) -> Outcome {
    runs.execute(context, run(number).uuid(), start(run(number), tenant(1), at(0))).await
}

fn cancel() -> JobRunCommand {
    JobRunCommand::Cancel { at: at(5) }
}

fn assert_same(first: &Recorded<JobRunEvent>, second: &Recorded<JobRunEvent>) {
    assert_eq!((second.id, second.position), (first.id, first.position));
    assert_eq!(second.events, first.events);
}

#[tokio::test]
async fn a_repeat_gets_the_first_outcome() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    let first = started(&runs, &own("k", 1), 1).await.unwrap();
    assert!(!first.replayed);
    for commands in [&runs, &test.commands()] {
        let repeat = started(commands, &own("k", 1), 2).await.unwrap();
        assert!(repeat.replayed);
        assert_same(&first, &repeat);
        assert_eq!(repeat.id, run(1).uuid(), "the run of the first time, whatever id the repeat brings");
    }
    assert_eq!((count(test.pool(), "events").await, count(test.pool(), "receipts").await), (1, 1));
}

/// The position that a commit is answered with is that of its whole statement.
///
/// Seen to fail: with the place of its own last event as the repeat's answer, that was another one.
#[tokio::test]
async fn a_repeat_gets_the_position_that_a_commit_together_with_others_was_answered_with() {
    let test = TestDatabase::new().await;
    let context = own("k", 1);
    let event = JobRun::default().decide(start(run(1), tenant(1), at(0))).unwrap().remove(0);
    let event = NewEvent::of(&event).unwrap();
    let receipt = NewReceipt {
        tenant: tenant(1).uuid(),
        actor: context.actor().id(),
        receipt: context.receipt().unwrap().clone(),
    };
    let answered = Commit {
        aggregate_type: JobRun::TYPE,
        aggregate_id: run(1).to_string(),
        events: vec![event],
        receipt: Some(receipt),
        ..commit("", 0, 1)
    };
    let appender = test.appender();
    let commits = [answered, commit("other", 0, 3)];
    let answers = futures::future::join_all(commits.map(|commit| appender.append(commit))).await;
    let position = answers[0].as_ref().unwrap().position;
    assert_eq!(position, answers[1].as_ref().unwrap().position, "one statement");
    let repeat = started(&test.commands(), &context, 2).await.unwrap();
    assert_eq!((repeat.id, repeat.position, repeat.events.len()), (run(1).uuid(), Some(position), 1));
}

/// A repeat costs a look only: it neither writes, nor makes a statement fail that it would share with others.
///
/// Seen to fail: without the look before deciding, the repeat waited for the lock.
#[tokio::test]
async fn a_repeat_is_answered_while_nothing_can_be_written() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let runs = test.commands::<JobRun>();
    let first = started(&runs, &own("k", 1), 1).await.unwrap();
    let mut lock = other.pool().begin().await.unwrap();
    sqlx::raw_sql("set local role none; lock table events, receipts in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let context = own("k", 1);
    let repeat = tokio::time::timeout(Duration::from_secs(5), started(&runs, &context, 2)).await;
    assert_same(&first, &repeat.expect("an answer without waiting for the lock").unwrap());
    lock.rollback().await.unwrap();
}

/// What happened since is no matter: the repeat is answered with what it recorded, as if for the first time.
#[tokio::test]
async fn a_repeat_gets_the_first_outcome_after_the_aggregate_has_gone_on() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    let first = started(&runs, &own("start", 1), 1).await.unwrap();
    on_run(&test, tenant(1), run(1), begin(Step::FetchDeals, Uuid::from_u128(9), at(1))).await;
    on_run(&test, tenant(1), run(1), complete(run(1), Step::FetchDeals, 1, at(2))).await;
    let cancelled = runs.execute(&own("cancel", 2), run(1).uuid(), cancel()).await.unwrap();
    assert_same(&first, &started(&runs, &own("start", 1), 1).await.unwrap());
    let again = runs.execute(&own("cancel", 2), run(1).uuid(), cancel()).await.unwrap();
    assert!(again.replayed && !again.events.is_empty(), "not the answer that it is cancelled already: {again:?}");
    assert_same(&cancelled, &again);
}

/// Seen to fail: without the comparison of the hash, the other request got the outcome of the first; without that of
/// the actor, another user did.
#[tokio::test]
async fn a_key_stands_for_one_request_of_one_actor() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    started(&runs, &own("k", 1), 1).await.unwrap();
    for context in [own("k", 2), request(tenant(1), user(2), "k", 1)] {
        let reused = started(&runs, &context, 2).await.unwrap_err();
        assert!(matches!(reused, CommandError::KeyReused), "{reused:?}");
        assert_eq!((reused.kind(), reused.code()), (ErrorKind::Conflict, "idempotency.key_reused"));
    }
    assert_eq!(count(test.pool(), "events").await, 1);
    // Another key, and the same key of another tenant, are free.
    started(&runs, &own("l", 1), 3).await.unwrap();
    let other = request(tenant(2), user(3), "k", 1);
    runs.execute(&other, run(4).uuid(), start(run(4), tenant(2), at(0))).await.unwrap();
    assert_eq!(count(test.pool(), "receipts").await, 3);
}

/// Each brings an id of its own, as the API does.
///
/// Seen to fail: with a receipt that exists not told from other constraints, the repeats were answered with a defect of
/// the database; without the look after a refused commit, they were told that someone else was first.
#[tokio::test]
async fn of_equal_requests_at_once_one_is_recorded_and_all_get_its_outcome() {
    let test = TestDatabase::new().await;
    let (one, other) = (test.commands::<JobRun>(), test.commands::<JobRun>());
    let requests = (1..=20).map(|n| {
        let (runs, context) = (if n % 2 == 0 { &one } else { &other }, own("k", 1));
        async move { started(runs, &context, n).await.unwrap() }
    });
    let outcomes = futures::future::join_all(requests).await;
    let first: Vec<_> = outcomes.iter().filter(|outcome| !outcome.replayed).collect();
    assert_eq!(first.len(), 1);
    for outcome in &outcomes {
        assert_same(first[0], outcome);
    }
    assert_eq!((count(test.pool(), "events").await, count(test.pool(), "receipts").await), (1, 1));
}

/// They lose a race for the version too, and on the newer state there is nothing left to decide.
///
/// Seen to fail: without the look after a decision that changes nothing, the losers were told that nothing happened.
#[tokio::test]
async fn of_equal_requests_at_once_on_one_run_all_get_the_same_outcome() {
    let test = TestDatabase::new().await;
    let (one, other) = (test.commands::<JobRun>(), test.commands::<JobRun>());
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    let requests = (0..20).map(|n| {
        let (runs, context) = (if n % 2 == 0 { &one } else { &other }, own("k", 1));
        async move { runs.execute(&context, run(1).uuid(), cancel()).await.unwrap() }
    });
    let outcomes = futures::future::join_all(requests).await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    for outcome in &outcomes {
        assert_same(&outcomes[0], outcome);
    }
    assert_eq!((count(test.pool(), "events").await, count(test.pool(), "receipts").await), (2, 1));
}

#[tokio::test]
async fn what_records_nothing_leaves_no_receipt_and_is_decided_anew() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    let refused = runs.execute(&own("k", 1), run(1).uuid(), cancel()).await;
    assert!(matches!(refused, Err(CommandError::Rule(JobRunError::NotFound))), "{refused:?}");
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    let cancelled = runs.execute(&own("k", 1), run(1).uuid(), cancel()).await.unwrap();
    assert_eq!((cancelled.events.len(), cancelled.replayed), (1, false), "possible by now");
    let nothing = runs.execute(&own("l", 1), run(1).uuid(), cancel()).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.replayed), (0, false));
    assert_eq!(count(test.pool(), "receipts").await, 1);
}

/// Whether the statement was recorded is not known to the one who asked; the repeat finds out.
///
/// Seen to fail: with the broken connection answered like any outage, nobody was told that it may have been recorded.
#[tokio::test]
async fn after_a_statement_that_ended_without_an_answer_a_repeat_gets_one_outcome() {
    let test = TestDatabase::new().await;
    let Some(other) = test.another_process().await else { return assert!(test.is_embedded()) };
    let mut lock = other.pool().begin().await.unwrap();
    sqlx::raw_sql("set local role none; lock table events in exclusive mode").execute(&mut *lock).await.unwrap();
    let runs = std::sync::Arc::new(test.commands::<JobRun>());
    let waiting = tokio::spawn({
        let runs = std::sync::Arc::clone(&runs);
        async move { started(&runs, &own("k", 1), 1).await }
    });
    until_someone_waits_for_the_log(&mut lock).await;
    let ended: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_locks where not granted and relation = 'events'::regclass",
    )
    .fetch_all(&mut *lock)
    .await
    .unwrap();
    assert_eq!(ended, [true]);
    let unanswered = waiting.await.unwrap().unwrap_err();
    assert!(matches!(unanswered, CommandError::Log(PortError::Unanswered(_))), "{unanswered:?}");
    assert_eq!((unanswered.kind(), unanswered.code()), (ErrorKind::Unavailable, "system.unanswered"));
    assert!(unanswered.to_string().contains("may or may not have been recorded"), "{unanswered}");
    lock.rollback().await.unwrap();
    let first = started(&runs, &own("k", 1), 2).await.unwrap();
    assert_same(&first, &started(&runs, &own("k", 1), 3).await.unwrap());
    assert_eq!((count(test.pool(), "events").await, count(test.pool(), "receipts").await), (1, 1));
}

/// Looks until a statement waits for the table that the transaction has locked.
async fn until_someone_waits_for_the_log(lock: &mut sqlx::PgConnection) {
    let waiting = "select exists (select from pg_locks where not granted and relation = 'events'::regclass)";
    until("someone waits for the log", async || sqlx::query_scalar(waiting).fetch_one(&mut *lock).await.unwrap()).await;
}

/// Seen to fail: without the comparison of versions, the run was cancelled on a state that nobody had looked at.
#[tokio::test]
async fn a_decision_on_one_version_is_made_on_no_other() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    let on = async |runs: &LogCommands<JobRun>, version| {
        runs.execute_expecting(&context(tenant(1)), run(1).uuid(), Expect::Version(version), cancel()).await
    };
    let absent = on(&runs, 1).await;
    assert!(matches!(absent, Err(CommandError::Rule(JobRunError::NotFound))), "{absent:?}");
    started(&runs, &context(tenant(1)), 1).await.unwrap();
    on_run(&test, tenant(1), run(1), begin(Step::FetchDeals, Uuid::from_u128(9), at(1))).await;
    // What the one remembers is version 1, the other remembers nothing; both must ask the log.
    for commands in [&runs, &test.commands()] {
        for version in [0, 1, 3] {
            let changed = on(commands, version).await.unwrap_err();
            assert!(matches!(changed, CommandError::Changed { current: 2 }), "{version}: {changed:?}");
            assert_eq!((changed.kind(), changed.code()), (ErrorKind::Conflict, "conflict.changed"));
            assert!(changed.to_string().contains("version 2"), "{changed}");
        }
    }
    let foreign =
        runs.execute_expecting(&context(tenant(2)), run(1).uuid(), Expect::Version(1), cancel()).await.unwrap_err();
    assert!(matches!(foreign, CommandError::Rule(JobRunError::NotFound)), "no version of another's run: {foreign:?}");
    assert_eq!(count(test.pool(), "events").await, 2);
    assert_eq!(on(&runs, 2).await.unwrap().events.len(), 1);
}

/// Whoever loses the race for a version is told so; a command that would still apply is not decided anew.
#[tokio::test]
async fn of_many_decisions_on_one_version_one_is_recorded() {
    let test = TestDatabase::new().await;
    on_run(&test, tenant(1), run(1), start(run(1), tenant(1), at(0))).await;
    let (one, other) = (test.commands::<JobRun>(), test.commands::<JobRun>());
    let decisions = (0..20).map(|n| {
        let runs = if n % 2 == 0 { &one } else { &other };
        async move { runs.execute_expecting(&context(tenant(1)), run(1).uuid(), Expect::Version(1), cancel()).await }
    });
    let outcomes = futures::future::join_all(decisions).await;
    let changed = |outcome: &&Outcome| matches!(outcome, Err(CommandError::Changed { current: 2 }));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(changed).count(), 19, "{outcomes:?}");
    assert_eq!(count(test.pool(), "events").await, 2);
}

/// A repeat is answered before its condition is looked at, which the first time itself has made untrue.
#[tokio::test]
async fn a_repeat_with_a_condition_gets_the_first_outcome() {
    let test = TestDatabase::new().await;
    let runs = test.commands::<JobRun>();
    started(&runs, &context(tenant(1)), 1).await.unwrap();
    let cancelled =
        async || runs.execute_expecting(&own("k", 1), run(1).uuid(), Expect::Version(1), cancel()).await.unwrap();
    let first = cancelled().await;
    assert_same(&first, &cancelled().await);
}

#[tokio::test]
async fn receipts_are_deleted_after_thirty_days() {
    let test = TestDatabase::new().await;
    let (runs, receipts) = (test.commands::<JobRun>(), Receipts::new(test.database().clone()));
    for (key, number) in [("old", 1), ("new", 2)] {
        started(&runs, &own(key, 1), number).await.unwrap();
    }
    test.as_owner(
        "update receipts set recorded_at = now() - interval '30 days 1 minute' where key = 'old';
         update receipts set recorded_at = now() - interval '29 days 23 hours' where key = 'new'",
    )
    .await;
    assert_eq!(receipts.purge().await.unwrap(), 1);
    assert!(started(&runs, &own("new", 1), 3).await.unwrap().replayed);
    assert!(!started(&runs, &own("old", 1), 4).await.unwrap().replayed, "as good as new");
}

/// One long transaction would hold the readers of the log back.
///
/// Seen to fail: without a limit, one transaction deleted them all.
#[tokio::test]
async fn many_old_receipts_are_deleted_in_short_transactions() {
    let test = TestDatabase::new().await;
    test.as_owner(
        "insert into receipts
         select gen_random_uuid(), n::text, 'an_operation', '', 'note', n::text, 1, 1, 'somebody', now() - interval '31 days'
         from generate_series(1, 2500) as n;
         create table deleted (tx xid8, receipts bigint);
         grant select, insert on deleted to synkro_system;
         create function note_deleted() returns trigger language plpgsql as $$
         begin
             insert into deleted select pg_current_xact_id(), count(*) from gone;
             return null;
         end $$;
         create trigger note_deleted after delete on receipts referencing old table as gone
         for each statement execute function note_deleted()",
    )
    .await;
    assert_eq!(Receipts::new(test.database().clone()).purge().await.unwrap(), 2500);
    let transactions: Vec<i64> =
        sqlx::query_scalar("select sum(receipts)::bigint from deleted group by tx order by 1 desc")
            .fetch_all(test.pool())
            .await
            .unwrap();
    assert_eq!(transactions, [1000, 1000, 500]);
}
