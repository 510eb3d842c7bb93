use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::TestFramework;

use super::{Impersonation, ImpersonationCommand, ImpersonationError, ImpersonationEvent, OpenImpersonation};
use crate::ids::{ImpersonationId, TenantId, UserId};

fn user(number: u128) -> UserId {
    UserId::from(uuid::Uuid::from_u128(number))
}

fn noon() -> DateTime<Utc> {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn help() -> OpenImpersonation {
    OpenImpersonation {
        impersonation_id: ImpersonationId::from(uuid::Uuid::from_u128(3)),
        tenant_id: TenantId::from(uuid::Uuid::from_u128(1)),
        staff_id: user(7),
        user_id: user(2),
        reason: "Their report of yesterday is empty.".parse().unwrap(),
        until: noon() + TimeDelta::minutes(20),
        at: noon(),
    }
}

fn opened() -> ImpersonationEvent {
    let OpenImpersonation { impersonation_id, tenant_id, staff_id, user_id, reason, until, at } = help();
    ImpersonationEvent::ImpersonationOpened { impersonation_id, tenant_id, staff_id, user_id, reason, until, at }
}

fn ended() -> ImpersonationEvent {
    let OpenImpersonation { impersonation_id, tenant_id, at, .. } = help();
    ImpersonationEvent::ImpersonationEnded { impersonation_id, tenant_id, ended_by: user(2), at }
}

fn impersonation() -> TestFramework<Impersonation> {
    TestFramework::with(())
}

fn after(events: Vec<ImpersonationEvent>) -> Impersonation {
    events.into_iter().fold(Impersonation::default(), Impersonation::evolve)
}

#[test]
fn it_is_opened_once() {
    let open = || ImpersonationCommand::Open(help());
    impersonation().given_no_previous_events().when(open()).then_expect_events(vec![opened()]);
    impersonation().given(vec![opened()]).when(open()).then_expect_error(ImpersonationError::AlreadyOpened);
    impersonation().given(vec![opened(), ended()]).when(open()).then_expect_error(ImpersonationError::AlreadyOpened);
}

#[test]
fn it_lasts_an_hour_at_most_and_a_minute_at_least() {
    for seconds in [-60, 0, 59, 3_601] {
        let bad = OpenImpersonation { until: noon() + TimeDelta::seconds(seconds), ..help() };
        impersonation()
            .given_no_previous_events()
            .when(ImpersonationCommand::Open(bad))
            .then_expect_error(ImpersonationError::Length);
    }
}

#[test]
fn it_is_ended_once_and_not_after_its_time() {
    let end = |at| ImpersonationCommand::End { ended_by: user(2), at };
    impersonation().given(vec![opened()]).when(end(noon())).then_expect_events(vec![ended()]);
    impersonation().given(vec![opened(), ended()]).when(end(noon())).then_expect_events(vec![]);
    impersonation().given(vec![opened()]).when(end(help().until)).then_expect_events(vec![]);
    impersonation().given_no_previous_events().when(end(noon())).then_expect_error(ImpersonationError::NotFound);
}

#[test]
fn it_allows_until_its_time_is_over_or_it_was_ended() {
    let open = after(vec![opened()]);
    assert!(open.allows_at(help().until - TimeDelta::seconds(1)).is_some());
    assert!(open.allows_at(help().until).is_none());
    assert!(after(vec![opened(), ended()]).allows_at(noon()).is_none());
    assert!(Impersonation::default().allows_at(noon()).is_none());
}
