//! People are invited, change their address, and set up a second factor.

use domain::access::RoleName;
use domain::ids::{InvitationId, UserId};
use domain::invitation::{Invitation, InvitationEvent};
use domain::second_factor::{SecondFactor, SecondFactorEvent};
use domain::user::{User, UserEvent};
use domain::values::Personal;

use super::{at, tenant_id, usual, value};
use crate::golden_files::Golden;

fn user_id() -> UserId {
    value("019df20e-1370-7e0b-b3d2-6c94a1f05e12")
}

fn invitation_id() -> InvitationId {
    value("019e8602-5b10-7c55-9f2e-8d40b7a1c663")
}

pub(super) fn users() -> Vec<Golden> {
    let (user_id, tenant_id) = (user_id(), tenant_id());
    let (former, email) = (value("olga@severny-les.example"), value("o.sokolova@severny-les.example"));
    let (former, email) = (Personal::new(former), Personal::new(email));
    vec![
        usual::<User>(&UserEvent::UserPasswordReset { user_id, tenant_id: Some(tenant_id), at: at("07:41:55.902311") }),
        usual::<User>(&UserEvent::UserEmailChanged {
            user_id,
            tenant_id: Some(tenant_id),
            former,
            email,
            at: at("08:20:03.004"),
        }),
    ]
}

pub(super) fn invitations() -> Vec<Golden> {
    let (invitation_id, tenant_id) = (invitation_id(), tenant_id());
    let email = || Personal::new(value("pavel@severny-les.example"));
    let (role, expires_at) = (RoleName::user(), value("2026-06-09T07:15:00Z"));
    let user_id = UserId::of_invitation(invitation_id);
    vec![
        usual::<Invitation>(&InvitationEvent::UserInvited {
            invitation_id,
            tenant_id,
            email: email(),
            role: role.clone(),
            expires_at,
            at: at("07:15:00"),
        }),
        usual::<Invitation>(&InvitationEvent::InvitationProposed {
            invitation_id,
            tenant_id,
            email: email(),
            role,
            expires_at,
            at: at("07:15:00"),
        }),
        usual::<Invitation>(&InvitationEvent::InvitationResent {
            invitation_id,
            tenant_id,
            expires_at: value("2026-06-09T15:02:10.5Z"),
            at: at("15:02:10.5"),
        }),
        usual::<Invitation>(&InvitationEvent::InvitationRevoked {
            invitation_id,
            tenant_id,
            email: email(),
            at: at("15:30:00"),
        }),
        usual::<Invitation>(&InvitationEvent::InvitationAccepted {
            invitation_id,
            tenant_id,
            email: email(),
            user_id,
            at: at("16:11:48.230911"),
        }),
    ]
}

pub(super) fn second_factors() -> Vec<Golden> {
    let (user_id, tenant_id) = (user_id(), tenant_id());
    vec![
        usual::<SecondFactor>(&SecondFactorEvent::TotpEnrolled {
            user_id,
            tenant_id: Some(tenant_id),
            at: at("09:00:31.7"),
        }),
        usual::<SecondFactor>(&SecondFactorEvent::RecoveryCodeUsed {
            user_id,
            tenant_id: Some(tenant_id),
            left: 9,
            at: at("12:44:09"),
        }),
        usual::<SecondFactor>(&SecondFactorEvent::TotpDisabled {
            user_id,
            tenant_id: Some(tenant_id),
            at: at("13:00:00"),
        }),
        usual::<SecondFactor>(&SecondFactorEvent::TotpReplaced {
            user_id,
            tenant_id: Some(tenant_id),
            at: at("13:20:48.01"),
        }),
        usual::<SecondFactor>(&SecondFactorEvent::RecoveryCodesRenewed {
            user_id,
            tenant_id: Some(tenant_id),
            at: at("13:22:10.5"),
        }),
    ]
}
