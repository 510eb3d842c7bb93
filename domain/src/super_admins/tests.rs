use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{SuperAdmins, SuperAdminsCommand, SuperAdminsError, SuperAdminsEvent};
use crate::ids::UserId;

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn user(number: u128) -> UserId {
    UserId::from(Uuid::from_u128(number))
}

fn appointed(number: u128) -> SuperAdminsEvent {
    SuperAdminsEvent::SuperAdminAppointed { user_id: user(number), at: at() }
}

fn dismissed(number: u128) -> SuperAdminsEvent {
    SuperAdminsEvent::SuperAdminDismissed { user_id: user(number), at: at() }
}

fn dismiss(number: u128) -> SuperAdminsCommand {
    SuperAdminsCommand::Dismiss { user_id: user(number), at: at() }
}

fn admins() -> TestFramework<SuperAdmins> {
    TestFramework::with(())
}

#[test]
fn one_is_appointed_once() {
    let appoint = SuperAdminsCommand::Appoint { user_id: user(2), at: at() };
    admins().given_no_previous_events().when(appoint).then_expect_events(vec![appointed(2)]);
    admins().given(vec![appointed(2)]).when(appoint).then_expect_events(vec![]);
    admins().given(vec![appointed(2), dismissed(2)]).when(appoint).then_expect_events(vec![appointed(2)]);
}

#[test]
fn the_last_one_stays() {
    admins().given(vec![appointed(2)]).when(dismiss(2)).then_expect_error(SuperAdminsError::Last);
    admins().given(vec![appointed(2), appointed(3)]).when(dismiss(2)).then_expect_events(vec![dismissed(2)]);
    let one_left = vec![appointed(2), appointed(3), dismissed(2)];
    admins().given(one_left.clone()).when(dismiss(3)).then_expect_error(SuperAdminsError::Last);
    admins().given(one_left).when(dismiss(2)).then_expect_events(vec![]);
}

#[test]
fn who_is_none_can_be_dismissed_without_effect() {
    admins().given(vec![appointed(2)]).when(dismiss(9)).then_expect_events(vec![]);
    admins().given_no_previous_events().when(dismiss(9)).then_expect_events(vec![]);
}
