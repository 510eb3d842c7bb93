//! Rebuilds that are killed, taken over, or of live tables that stand still, and what they keep from others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use application::ports::rebuilds::RebuildBeginning;
use domain::rebuild::RebuildScope;
use infrastructure::projections::{Projection, Rebuild, RebuildError};
use infrastructure::read_models;
use testkit::TestDatabase;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::fixtures::{count, tenant};
use crate::rebuild::{projection, told};
use crate::rebuild_load::write_for_ever;
use crate::rebuild_scope::{of_run, of_tenant, rebuild_rows, run_sql};
use crate::replay::contents;
use crate::story::Company;

/// Builds one batch after the other, each by a process that is killed after it.
async fn build_by_killed_processes(test: &TestDatabase, projection: &dyn Projection, scope: RebuildScope) -> usize {
    let mut kills = 0;
    loop {
        let rebuild = Rebuild::of_rows(test.database(), projection, scope).await.unwrap().in_batches_of(3);
        let cut = Notify::new();
        let build = rebuild.build(|progress| {
            assert_eq!(progress.beginning == RebuildBeginning::Resumed, kills > 0, "{scope:?}");
            if progress.done > 0 {
                cut.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = cut.notified() => kills += 1,
            done = build => {
                done.unwrap();
                return kills;
            }
        }
    }
}

#[tokio::test]
async fn a_rebuild_may_be_killed_between_any_two_batches() {
    let test = told().await;
    let run = Company::new(&test, 1).run(4);
    for name in ["audit_entries", "runs"] {
        let projection = projection(name);
        for scope in [RebuildScope::Everyone, of_tenant(1), of_run(1, run)] {
            let kills = build_by_killed_processes(&test, projection.as_ref(), scope).await;
            assert!(kills > 3, "{kills}");
            let rebuild = Rebuild::of_rows(test.database(), projection.as_ref(), scope).await.unwrap();
            let comparison = rebuild.compare().await.unwrap();
            assert!(comparison.is_equal(), "{name} {scope:?}: {:?}", comparison.differences);
            rebuild.exchange().await.unwrap();
        }
    }
}

/// Drops the work after it was woken so many times; none where it was not done by then.
async fn woken<T>(times: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut left) = (std::pin::pin!(work), times);
    std::future::poll_fn(move |wake| match (work.as_mut().poll(wake), left) {
        (Poll::Ready(done), _) => Poll::Ready(Some(done)),
        (Poll::Pending, 0) => Poll::Ready(None),
        (Poll::Pending, _) => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Seen to fail: with rows and checkpoint of a batch in two transactions, rows were missing.
#[tokio::test]
async fn a_rebuild_may_be_killed_at_any_moment() {
    let test = told().await;
    for name in ["audit_entries", "runs"] {
        let projection = projection(name);
        let mut kills = 0;
        loop {
            let rebuild = Rebuild::of_rows(test.database(), projection.as_ref(), of_tenant(1)).await.unwrap();
            let rebuild = rebuild.in_batches_of(20);
            match woken(kills, rebuild.build(|_| ())).await {
                Some(done) => break done.unwrap(),
                None => kills += 1,
            }
        }
        assert!(kills > 10, "{kills}");
        let rebuild = Rebuild::of_rows(test.database(), projection.as_ref(), of_tenant(1)).await.unwrap();
        let comparison = rebuild.compare().await.unwrap();
        assert!(comparison.is_equal(), "{name} after {kills} kills: {:?}", comparison.differences);
    }
}

/// Seen to fail: without the look at whose the next generation is, the first one went on with it.
#[tokio::test]
async fn a_rebuild_of_other_rows_takes_over_and_the_first_one_ends_without_harm() {
    let test = told().await;
    let before = contents(&test).await;
    let users = projection("users");
    let all = Rebuild::of(test.database(), users.as_ref()).await.unwrap();
    all.build(|_| ()).await.unwrap();
    let one = Rebuild::of_rows(test.database(), users.as_ref(), of_tenant(1)).await.unwrap();
    one.build(|progress| assert_ne!(progress.beginning, RebuildBeginning::Resumed)).await.unwrap();
    for refused in [all.compare().await.map(|_| ()), all.exchange().await, all.abandon().await] {
        assert!(matches!(refused, Err(RebuildError::NextOfAnother { projection: "users" })), "{refused:?}");
    }
    assert_eq!(contents(&test).await, before);
    one.exchange().await.unwrap();
    assert_eq!(contents(&test).await, before);
}

#[tokio::test]
async fn rows_that_do_not_fit_among_those_of_others_stay_out_and_say_so() {
    let test = told().await;
    let (one, two) = (Company::new(&test, 1), Company::new(&test, 2));
    run_sql(&test, &format!("delete from users where id = '{}'", one.user())).await;
    run_sql(&test, &format!("update users set email = '{}' where id = '{}'", one.email(), two.user())).await;
    let damaged = contents(&test).await;
    let users = projection("users");
    let rebuild = Rebuild::of_rows(test.database(), users.as_ref(), of_tenant(1)).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    let refused = rebuild.exchange().await.unwrap_err();
    assert!(matches!(refused, RebuildError::RowsOfOthers { projection: "users", .. }), "{refused:?}");
    assert_eq!(contents(&test).await, damaged);
    rebuild_rows(&test, users.as_ref(), RebuildScope::Everyone).await;
    rebuild_rows(&test, users.as_ref(), of_tenant(1)).await;
}

/// Seen to fail: with a next generation that is built to the end of the log, which the live tables had not seen.
#[tokio::test]
async fn tables_that_are_behind_the_log_and_not_fed_are_verified_and_rebuilt_where_they_are() {
    let test = TestDatabase::new().await;
    Company::new(&test, 1).live().await;
    let places = async || -> Vec<(String, i64)> {
        let sql = "select name, position from projection_checkpoints order by name";
        sqlx::query_as(sql).fetch_all(test.pool()).await.unwrap()
    };
    for feeds in [false, true] {
        if feeds {
            test.catch_up().await;
            Company::new(&test, 2).live().await;
        }
        let (before, checkpoints) = (contents(&test).await, places().await);
        for projection in read_models::all() {
            for scope in [RebuildScope::Everyone, of_tenant(1), of_tenant(2)] {
                let rebuild = Rebuild::of_rows(test.database(), projection.as_ref(), scope).await.unwrap();
                rebuild.build(|_| ()).await.unwrap();
                let comparison = rebuild.compare().await.unwrap();
                assert!(comparison.is_equal(), "{} {scope:?}: {:?}", projection.name(), comparison.differences);
                rebuild.exchange().await.unwrap();
            }
        }
        assert_eq!(contents(&test).await, before);
        assert!(!feeds || places().await == checkpoints, "nobody fed the live tables");
    }
    test.catch_up().await;
    assert_eq!(count(test.pool(), "audit_entries").await, count(test.pool(), "events").await);
    for projection in read_models::all() {
        let rebuild = Rebuild::of(test.database(), projection.as_ref()).await.unwrap();
        rebuild.build(|_| ()).await.unwrap();
        assert!(rebuild.compare().await.unwrap().is_equal(), "{}", projection.name());
    }
}

#[tokio::test]
async fn a_checkpoint_that_is_moved_back_during_a_rebuild_is_noticed() {
    let test = told().await;
    let users = projection("users");
    let rebuild = Rebuild::of(test.database(), users.as_ref()).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    run_sql(&test, "update projection_checkpoints set generation = 0, tx = '0', position = 0 where name = 'users'")
        .await;
    let refused = rebuild.exchange().await.unwrap_err();
    assert!(matches!(refused, RebuildError::SetBack { projection: "users" }), "{refused:?}");
    rebuild.build(|progress| assert_ne!(progress.beginning, RebuildBeginning::Resumed)).await.unwrap();
    test.catch_up().await;
    assert!(rebuild.compare().await.unwrap().is_equal());
}

/// Seen to fail: with the first hundred rows by key alone, the other tenant was not named.
#[tokio::test]
async fn a_tenant_with_many_differing_rows_does_not_hide_another() {
    let test = told().await;
    let (mine, theirs) = (tenant(1), tenant(2));
    run_sql(
        &test,
        &format!(
            "insert into users (id, tenant_id, email, name, role, registered_at)
             select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid,
                    case when n = 151 then '{theirs}' else '{mine}' end::uuid, n || '@x.example', 'X', 'user', now()
             from generate_series(1, 151) n"
        ),
    )
    .await;
    let users = projection("users");
    let rebuild = Rebuild::of(test.database(), users.as_ref()).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    let comparison = rebuild.compare().await.unwrap();
    let owners: Vec<Option<Uuid>> = comparison.differences.iter().map(|row| row.tenant_id).collect();
    assert_eq!(owners.len(), 100);
    assert_eq!(owners.iter().filter(|owner| **owner == Some(theirs.uuid())).count(), 1);
    assert!(owners.is_sorted(), "by tenant");
    assert_eq!(comparison.rows_differing, BTreeMap::from([("users".to_owned(), 151)]));
    assert_eq!(comparison.tenants_differing(), 2);
}

/// Whoever has a transaction number holds all readers of the log back, for as long as it is open.
///
/// Seen to fail: with the comparison in the transaction that had brought the two generations together.
#[tokio::test]
async fn a_comparison_does_not_hold_the_other_projections_back_while_events_go_on() {
    let test = told().await;
    let Some(elsewhere) = test.another_process().await else {
        assert!(test.is_embedded());
        return;
    };
    // So many rows that the comparison is seen at work.
    run_sql(
        &test,
        "insert into users (id, tenant_id, email, name, role, registered_at)
         select gen_random_uuid(), gen_random_uuid(), n || '@x.example', 'X', 'user', now()
         from generate_series(1, 60000) n",
    )
    .await;
    let users = projection("users");
    let rebuild = Rebuild::of(test.database(), users.as_ref()).await.unwrap();
    rebuild.build(|_| ()).await.unwrap();
    let schema: String = sqlx::query_scalar("select current_schema()::text").fetch_one(test.pool()).await.unwrap();
    let at_work = "select count(*), count(backend_xid) from pg_stat_activity
                   where pid <> pg_backend_pid() and state = 'active' and position($1 in query) > 0
                     and (query like '%bit_xor%' or query like '%full join%')";
    let mut watcher = elsewhere.pool().acquire().await.unwrap();
    // Only the login sees what its sessions do.
    sqlx::query("set role none").execute(&mut *watcher).await.unwrap();
    let (seen, held) = (AtomicU64::new(0), AtomicU64::new(0));
    let look = async {
        loop {
            let (comparing, numbered): (i64, i64) = sqlx::query_as(at_work)
                .bind(format!("\"{schema}_next_users\""))
                .fetch_one(&mut *watcher)
                .await
                .unwrap();
            seen.fetch_add(comparing.cast_unsigned(), Ordering::Relaxed);
            held.fetch_add(numbered.cast_unsigned(), Ordering::Relaxed);
        }
    };
    let (runner, feeds): (_, [Arc<dyn Projection>; 1]) = (test.runner(), [users.clone()]);
    let comparison = tokio::select! {
        comparison = rebuild.compare() => comparison.unwrap(),
        () = look => unreachable!("it looks for ever"),
        () = runner.run(&feeds) => unreachable!("it feeds for ever"),
        () = write_for_ever(&test) => unreachable!(),
    };
    assert_eq!(comparison.rows_differing["users"], 60_000);
    assert!(seen.load(Ordering::Relaxed) > 0, "the comparison was not seen at work");
    assert_eq!(held.load(Ordering::Relaxed), 0, "the comparison had a transaction number");
    drop(watcher);
    elsewhere.close().await;
}
