use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{SecondFactor, SecondFactorCommand, SecondFactorError, SecondFactorEvent};
use crate::ids::{TenantId, UserId};

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn ids() -> (UserId, Option<TenantId>) {
    (Uuid::from_u128(2).into(), Some(Uuid::from_u128(1).into()))
}

fn enrol() -> SecondFactorCommand {
    let (user_id, tenant_id) = ids();
    SecondFactorCommand::RecordEnrolled { user_id, tenant_id, at: at() }
}

fn enrolled() -> SecondFactorEvent {
    let (user_id, tenant_id) = ids();
    SecondFactorEvent::TotpEnrolled { user_id, tenant_id, at: at() }
}

fn disabled() -> SecondFactorEvent {
    let (user_id, tenant_id) = ids();
    SecondFactorEvent::TotpDisabled { user_id, tenant_id, at: at() }
}

fn factor() -> TestFramework<SecondFactor> {
    TestFramework::with(())
}

#[test]
fn one_app_at_a_time() {
    factor().given_no_previous_events().when(enrol()).then_expect_events(vec![enrolled()]);
    factor().given(vec![enrolled()]).when(enrol()).then_expect_error(SecondFactorError::AlreadyEnrolled);
    factor().given(vec![enrolled(), disabled()]).when(enrol()).then_expect_events(vec![enrolled()]);
}

#[test]
fn recovery_codes_are_used_while_there_is_an_app() {
    let (user_id, tenant_id) = ids();
    let (used, at) = (SecondFactorCommand::RecordRecoveryCodeUsed { left: 9, at: at() }, at());
    factor().given(vec![enrolled()]).when(used).then_expect_events(vec![SecondFactorEvent::RecoveryCodeUsed {
        user_id,
        tenant_id,
        left: 9,
        at,
    }]);
    factor().given(vec![enrolled(), disabled()]).when(used).then_expect_error(SecondFactorError::NotEnrolled);
}

#[test]
fn an_app_is_given_up_once() {
    let disable = SecondFactorCommand::RecordDisabled { at: at() };
    factor().given(vec![enrolled()]).when(disable).then_expect_events(vec![disabled()]);
    factor().given(vec![enrolled(), disabled()]).when(disable).then_expect_events(vec![]);
    factor().given_no_previous_events().when(disable).then_expect_error(SecondFactorError::NotEnrolled);
}
