use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{Owners, OwnersCommand, OwnersError, OwnersEvent};
use crate::ids::{TenantId, UserId};

fn tenant_id() -> TenantId {
    TenantId::from(Uuid::from_u128(1))
}

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn user(number: u128) -> UserId {
    UserId::from(Uuid::from_u128(number))
}

fn appointed(number: u128) -> OwnersEvent {
    OwnersEvent::OwnerAppointed { tenant_id: tenant_id(), user_id: user(number), at: at() }
}

fn dismissed(number: u128) -> OwnersEvent {
    OwnersEvent::OwnerDismissed { tenant_id: tenant_id(), user_id: user(number), at: at() }
}

fn dismiss(number: u128) -> OwnersCommand {
    OwnersCommand::Dismiss { tenant_id: tenant_id(), user_id: user(number), at: at() }
}

fn owners() -> TestFramework<Owners> {
    TestFramework::with(())
}

#[test]
fn an_owner_is_appointed_once() {
    let appoint = || OwnersCommand::Appoint { tenant_id: tenant_id(), user_id: user(2), at: at() };
    owners().given_no_previous_events().when(appoint()).then_expect_events(vec![appointed(2)]);
    owners().given(vec![appointed(2)]).when(appoint()).then_expect_events(vec![]);
}

#[test]
fn the_last_owner_stays() {
    owners().given(vec![appointed(2)]).when(dismiss(2)).then_expect_error(OwnersError::Last);
    let two = vec![appointed(2), appointed(3)];
    owners().given(two.clone()).when(dismiss(2)).then_expect_events(vec![dismissed(2)]);
    let one_left = vec![appointed(2), appointed(3), dismissed(2)];
    owners().given(one_left.clone()).when(dismiss(3)).then_expect_error(OwnersError::Last);
    owners().given(one_left).when(dismiss(2)).then_expect_events(vec![]);
}

#[test]
fn who_is_no_owner_can_be_dismissed_without_effect() {
    owners().given(vec![appointed(2)]).when(dismiss(9)).then_expect_events(vec![]);
    owners().given_no_previous_events().when(dismiss(9)).then_expect_events(vec![]);
}
