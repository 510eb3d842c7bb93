//! A company that is kept out.

use std::time::{Duration, Instant};

use application::use_cases::TenantChange;
use serde_json::{Value, json};
use simulator::{FaultKind, Service};
use testkit::{Actor, TestApp};

const LOGIN: &str = "/api/v1/public/users/login";
const REFRESH: &str = "/api/v1/public/users/refresh";
const ME: &str = "/api/v1/users/me";
const RUNS: &str = "/api/v1/runs";

/// How long a suspension may take to reach another process.
const SOON: Duration = Duration::from_secs(1);

fn suspend() -> TenantChange {
    TenantChange::Suspend("Unpaid bills.".parse().unwrap())
}

/// Fails unless the callers are refused within a second, counted from `began`.
async fn refused_since(began: Instant, actors: &[&Actor]) {
    for actor in actors {
        while actor.get(ME).await.status != 401 {
            assert!(began.elapsed() < SOON, "the token is still accepted");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Seen to fail: with a view of revocations that does not follow tenants.
#[tokio::test]
async fn a_suspension_keeps_people_out_in_every_process_within_a_second() {
    let (app, anonymous, owner) = TestApp::start().await;
    let (other_process, stranger) = (app.another_process().await, app.other_tenant().await);
    let someone = app.credential().await;
    let login = json!({"email": someone.email, "password": someone.password});
    let tokens = anonymous.post(LOGIN, &login).await.expect(200);
    let there = other_process.with_token(tokens["access_token"].as_str().unwrap());
    there.get(ME).await.expect(200);
    let began = Instant::now();
    app.change_company(suspend()).await;
    refused_since(began, &[&owner, &there]).await;
    stranger.get(ME).await.expect(200);
    for process in [&anonymous, &other_process] {
        process.post(LOGIN, &login).await.problem(403, "tenant.kept_out");
        let wrong = json!({"email": someone.email, "password": "not the password"});
        process.post(LOGIN, &wrong).await.problem(401, "sign_in.refused");
    }
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    anonymous.post(REFRESH, &refresh).await.problem(403, "tenant.kept_out");
    // A process that starts meanwhile knows it as soon as it knows anything.
    let late = app.another_process().await;
    while late.with_token(stranger.token()).get(ME).await.status != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(late.with_token(owner.token()).get(ME).await.status, 401);
    app.change_company(TenantChange::Resume).await;
    anonymous.post(REFRESH, &refresh).await.problem(401, "refresh.refused");
    let again = anonymous.sign_in(&someone.email, &someone.password).await;
    let began = Instant::now();
    while again.get(ME).await.status != 200 {
        assert!(began.elapsed() < SOON, "nobody is let in again");
    }
}

/// Seen to fail: with a starter of runs that does not ask whether the company is active.
#[tokio::test]
async fn a_suspension_stops_runs_and_lets_none_begin() {
    let (app, _, owner) = TestApp::start().await;
    app.fault(Service::Amocrm, None, FaultKind::Delay(Duration::from_secs(20)), Some(1));
    let id = owner.start_run(app.days()).await;
    owner.run_until(&id, |run| run.step_status("fetch_deals") == "running").await;
    app.change_company(suspend()).await;
    let (from, to) = app.days();
    let refused = owner.post(RUNS, &json!({"from": from, "to": to})).await.any_problem();
    assert!([json!("token.refused"), json!("run.tenant_not_active")].contains(&refused["code"]), "{refused:#}");
    let began = Instant::now();
    let stopped = loop {
        let events = app.events().await;
        if let Some(event) = events.into_iter().find(|event| event.event_type == "RunCancelled") {
            break event;
        }
        assert!(began.elapsed() < 2 * SOON, "the run goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(stopped.payload["run_id"], json!(id));
    assert_eq!(stopped.metadata["actor_id"], json!("run_stopper"));
    app.simulators.faults().clear();
    app.change_company(TenantChange::Resume).await;
    let owner = app.person("owner").await;
    let began = Instant::now();
    while owner.get(ME).await.status != 200 {
        assert!(began.elapsed() < SOON, "nobody is let in again");
    }
    assert_eq!(owner.run(&id).await.status(), "cancelled");
    owner.run_report(app.days()).await.assert_completed();
    owner.post(&format!("{RUNS}/{id}/cancel"), &Value::Null).await.expect(202);
}
