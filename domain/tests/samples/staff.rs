//! Staff are let in, change, and leave; what they share with companies' people names no tenant.

use domain::access::StaffRole;
use domain::data_key_rotation::{DataKeyRotation, DataKeyRotationEvent};
use domain::ids::UserId;
use domain::kek_rotation::{KekRotation, KekRotationEvent};
use domain::second_factor::{SecondFactor, SecondFactorEvent};
use domain::super_admins::{SuperAdmins, SuperAdminsEvent};
use domain::user::{User, UserEvent};
use domain::values::Personal;

use super::{at, form, tenant_id, usual, value};
use crate::golden_files::Golden;

fn user_id() -> UserId {
    value("019e85f0-41d8-7e20-a3b7-90c2d4e6f815")
}

pub(super) fn users() -> Vec<Golden> {
    let (user_id, tenant_id) = (user_id(), None);
    let email = || Personal::new(value("vera@synkro.example"));
    let name = || Personal::new(value("Vera Orlova"));
    let (former, until) = (Personal::new(value("v.orlova@synkro.example")), value("2026-06-02T07:05:12.402Z"));
    let staff = |event: UserEvent| form::<User>("staff", &event);
    vec![
        usual::<User>(&UserEvent::StaffRegistered {
            user_id,
            email: email(),
            name: name(),
            role: StaffRole::AdminLite,
            at: at("06:00:00.5"),
        }),
        usual::<User>(&UserEvent::StaffRoleChanged {
            user_id,
            role: StaffRole::SuperAdmin,
            token_version: 1,
            at: at("06:40:21"),
        }),
        staff(UserEvent::UserPasswordSet { user_id, tenant_id, at: at("06:10:00") }),
        staff(UserEvent::UserPasswordChanged { user_id, tenant_id, at: at("07:30:00") }),
        staff(UserEvent::UserPasswordReset { user_id, tenant_id, at: at("06:12:33.018") }),
        staff(UserEvent::UserEmailChanged { user_id, tenant_id, former, email: email(), at: at("08:20:03") }),
        staff(UserEvent::UserRenamed { user_id, tenant_id, name: name(), at: at("08:12:40") }),
        staff(UserEvent::UserDeactivated { user_id, tenant_id, email: email(), token_version: 2, at: at("17:00:00") }),
        staff(UserEvent::UserReactivated { user_id, tenant_id, email: email(), at: at("18:00:00") }),
        staff(UserEvent::UserLockedOut { user_id, tenant_id, failures: 5, until, at: at("07:00:12.402") }),
    ]
}

pub(super) fn second_factors() -> Vec<Golden> {
    let (user_id, tenant_id) = (user_id(), None);
    let staff = |event: SecondFactorEvent| form::<SecondFactor>("staff", &event);
    vec![
        staff(SecondFactorEvent::TotpEnrolled { user_id, tenant_id, at: at("06:20:31.7") }),
        staff(SecondFactorEvent::RecoveryCodeUsed { user_id, tenant_id, left: 9, at: at("12:44:09") }),
        staff(SecondFactorEvent::TotpDisabled { user_id, tenant_id, at: at("13:00:00") }),
        usual::<SecondFactor>(&SecondFactorEvent::TotpReset {
            user_id,
            tenant_id,
            reason: value("The phone was stolen; we spoke by video."),
            at: at("13:41:07.2"),
        }),
    ]
}

pub(super) fn super_admins() -> Vec<Golden> {
    let user_id = user_id();
    vec![
        usual::<SuperAdmins>(&SuperAdminsEvent::SuperAdminAppointed { user_id, at: at("06:40:21.1") }),
        usual::<SuperAdmins>(&SuperAdminsEvent::SuperAdminDismissed { user_id, at: at("16:59:59.9") }),
    ]
}

pub(super) fn kek_rotations() -> Vec<Golden> {
    let kek_id = || "0b1c6cdf5ce3fb6d".to_owned();
    vec![
        usual::<KekRotation>(&KekRotationEvent::KekRotationBegun {
            kek_id: kek_id(),
            data_keys: 412,
            at: at("19:00:04.2"),
        }),
        usual::<KekRotation>(&KekRotationEvent::KekRotationCompleted { kek_id: kek_id(), at: at("19:00:05.8") }),
    ]
}

pub(super) fn data_key_rotations() -> Vec<Golden> {
    let (tenant_id, generation) = (tenant_id(), 2);
    vec![
        usual::<DataKeyRotation>(&DataKeyRotationEvent::DataKeyRotationBegun {
            tenant_id,
            generation,
            at: at("19:10:04.2"),
        }),
        usual::<DataKeyRotation>(&DataKeyRotationEvent::DataKeyRotationCompleted {
            tenant_id,
            generation,
            sealed_anew: 38,
            at: at("19:10:05.8"),
        }),
    ]
}
