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

fn replace() -> SecondFactorCommand {
    SecondFactorCommand::RecordReplaced { at: at() }
}

fn replaced() -> SecondFactorEvent {
    let (user_id, tenant_id) = ids();
    SecondFactorEvent::TotpReplaced { user_id, tenant_id, at: at() }
}

fn reset() -> SecondFactorCommand {
    let (user_id, tenant_id) = ids();
    let reason = "The phone was stolen.".parse().unwrap();
    SecondFactorCommand::RecordReset { user_id, tenant_id, reason, at: at() }
}

fn was_reset() -> SecondFactorEvent {
    let (user_id, tenant_id) = ids();
    SecondFactorEvent::TotpReset { user_id, tenant_id, reason: "The phone was stolen.".parse().unwrap(), at: at() }
}

/// As where the process is killed before the app counts, and it is confirmed once more. Seen to fail: with a refusal of the
/// second.
#[test]
fn that_an_app_is_confirmed_is_recorded_once_however_often_it_is_told() {
    factor().given(vec![enrolled()]).when(enrol()).then_expect_events(vec![]);
    factor().given(vec![enrolled(), replaced()]).when(enrol()).then_expect_events(vec![]);
}

#[test]
fn what_was_lost_is_taken_away_for_a_reason_and_another_one_is_set_up() {
    factor().given(vec![enrolled()]).when(reset()).then_expect_events(vec![was_reset()]);
    factor().given(vec![enrolled(), was_reset()]).when(reset()).then_expect_events(vec![was_reset()]);
    factor().given(vec![enrolled(), was_reset()]).when(enrol()).then_expect_events(vec![enrolled()]);
    factor().given(vec![enrolled(), was_reset()]).when(replace()).then_expect_error(SecondFactorError::NotEnrolled);
}

#[test]
fn recovery_codes_are_renewed_while_there_is_an_app() {
    let (user_id, tenant_id) = ids();
    let renew = || SecondFactorCommand::RecordRecoveryCodesRenewed { at: at() };
    let renewed = SecondFactorEvent::RecoveryCodesRenewed { user_id, tenant_id, at: at() };
    factor().given(vec![enrolled()]).when(renew()).then_expect_events(vec![renewed]);
    factor().given(vec![enrolled(), disabled()]).when(renew()).then_expect_error(SecondFactorError::NotEnrolled);
    factor().given_no_previous_events().when(renew()).then_expect_error(SecondFactorError::NotEnrolled);
}

#[test]
fn one_app_at_a_time() {
    factor().given_no_previous_events().when(enrol()).then_expect_events(vec![enrolled()]);
    factor().given(vec![enrolled()]).when(replace()).then_expect_events(vec![replaced()]);
    factor().given_no_previous_events().when(replace()).then_expect_error(SecondFactorError::NotEnrolled);
    factor().given(vec![enrolled(), disabled()]).when(replace()).then_expect_error(SecondFactorError::NotEnrolled);
    factor().given(vec![enrolled(), disabled()]).when(enrol()).then_expect_events(vec![enrolled()]);
}

#[test]
fn recovery_codes_are_used_while_there_is_an_app() {
    let (user_id, tenant_id) = ids();
    let (used, at) = (|| SecondFactorCommand::RecordRecoveryCodeUsed { left: 9, at: at() }, at());
    factor().given(vec![enrolled()]).when(used()).then_expect_events(vec![SecondFactorEvent::RecoveryCodeUsed {
        user_id,
        tenant_id,
        left: 9,
        at,
    }]);
    factor().given(vec![enrolled(), disabled()]).when(used()).then_expect_error(SecondFactorError::NotEnrolled);
}

#[test]
fn an_app_is_given_up_once() {
    let disable = || SecondFactorCommand::RecordDisabled { at: at() };
    factor().given(vec![enrolled()]).when(disable()).then_expect_events(vec![disabled()]);
    factor().given(vec![enrolled(), disabled()]).when(disable()).then_expect_events(vec![]);
    factor().given_no_previous_events().when(disable()).then_expect_error(SecondFactorError::NotEnrolled);
}
