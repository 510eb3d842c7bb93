use std::collections::BTreeMap;

use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{
    FinishRebuild, Rebuild, RebuildCommand, RebuildError, RebuildEvent, RebuildGoal, RebuildOutcome, RebuildScope,
    StartRebuild,
};
use crate::error::Classified;
use crate::event_sourced::EventSourced;
use crate::ids::{RebuildId, TenantId};

fn tenant() -> TenantId {
    TenantId::from(Uuid::from_u128(1))
}

fn start(goal: RebuildGoal) -> StartRebuild {
    StartRebuild {
        rebuild_id: RebuildId::from(Uuid::from_u128(7)),
        projection: "users".parse().unwrap(),
        scope: RebuildScope::Tenant { tenant_id: tenant() },
        goal,
        reason: Some("Rows were changed by hand.".parse().unwrap()),
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn started(goal: RebuildGoal) -> RebuildEvent {
    let StartRebuild { rebuild_id, projection, scope, goal, reason, at } = start(goal);
    RebuildEvent::RebuildStarted { rebuild_id, projection, scope, goal, reason, at }
}

fn finish(outcome: RebuildOutcome) -> RebuildCommand {
    let rows_differing = BTreeMap::from([("users".to_owned(), 2)]);
    let at = "2026-06-01T00:00:09Z".parse().unwrap();
    RebuildCommand::Finish(FinishRebuild { outcome, tenants_differing: 1, rows_differing, at })
}

fn finished(outcome: RebuildOutcome) -> RebuildEvent {
    RebuildEvent::RebuildFinished {
        rebuild_id: RebuildId::from(Uuid::from_u128(7)),
        outcome,
        tenants_differing: 1,
        rows_differing: BTreeMap::from([("users".to_owned(), 2)]),
        at: "2026-06-01T00:00:09Z".parse().unwrap(),
    }
}

fn rebuild() -> TestFramework<Rebuild> {
    TestFramework::with(())
}

#[test]
fn a_rebuild_is_started_once() {
    let start = || RebuildCommand::Start(start(RebuildGoal::Exchange));
    rebuild().given_no_previous_events().when(start()).then_expect_events(vec![started(RebuildGoal::Exchange)]);
    rebuild().given(vec![started(RebuildGoal::Exchange)]).when(start()).then_expect_error(RebuildError::AlreadyStarted);
}

#[test]
fn whoever_exchanges_says_why_and_whoever_verifies_need_not() {
    let silent = |goal| RebuildCommand::Start(StartRebuild { reason: None, ..start(goal) });
    rebuild()
        .given_no_previous_events()
        .when(silent(RebuildGoal::Exchange))
        .then_expect_error(RebuildError::ReasonMissing);
    assert_eq!(RebuildError::ReasonMissing.fields()[0].field, "reason");
    assert_eq!(Rebuild::Absent.decide(silent(RebuildGoal::Verify)).unwrap().len(), 1);
}

#[test]
fn a_rebuild_ends_once() {
    let all = [RebuildOutcome::Exchanged, RebuildOutcome::Verified, RebuildOutcome::Abandoned];
    for outcome in all {
        rebuild()
            .given(vec![started(RebuildGoal::Exchange)])
            .when(finish(outcome))
            .then_expect_events(vec![finished(outcome)]);
        for again in all {
            let ended = rebuild().given(vec![started(RebuildGoal::Exchange), finished(outcome)]).when(finish(again));
            if again == outcome {
                ended.then_expect_events(vec![]);
            } else {
                ended.then_expect_error(RebuildError::AlreadyFinished);
            }
        }
    }
}

#[test]
fn a_verification_exchanges_nothing() {
    rebuild()
        .given(vec![started(RebuildGoal::Verify)])
        .when(finish(RebuildOutcome::Exchanged))
        .then_expect_error(RebuildError::OnlyVerifies);
    rebuild()
        .given(vec![started(RebuildGoal::Verify)])
        .when(finish(RebuildOutcome::Verified))
        .then_expect_events(vec![finished(RebuildOutcome::Verified)]);
}

#[test]
fn what_was_never_started_cannot_end() {
    rebuild()
        .given_no_previous_events()
        .when(finish(RebuildOutcome::Abandoned))
        .then_expect_error(RebuildError::NotFound);
}

#[test]
fn a_rebuild_of_a_tenants_rows_belongs_to_that_tenant() {
    let of = |scope| {
        let new = StartRebuild { scope, ..start(RebuildGoal::Verify) };
        let events = Rebuild::Absent.decide(RebuildCommand::Start(new)).unwrap();
        events.into_iter().fold(Rebuild::Absent, Rebuild::evolve).tenant()
    };
    let aggregate_id = Uuid::from_u128(5);
    assert_eq!(of(RebuildScope::Everyone), None);
    assert_eq!(of(RebuildScope::Tenant { tenant_id: tenant() }), Some(tenant()));
    assert_eq!(of(RebuildScope::Aggregate { aggregate_id, tenant_id: Some(tenant()) }), Some(tenant()));
    assert_eq!(of(RebuildScope::Aggregate { aggregate_id, tenant_id: None }), None);
}
