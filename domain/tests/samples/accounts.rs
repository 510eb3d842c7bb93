//! Users of a company change, sign in, and lose their sessions.

use domain::access::RoleName;
use domain::ids::{SessionId, UserId};
use domain::session::{RevocationReason, Session, SessionEvent, SignInMethod};
use domain::user::{User, UserEvent};
use domain::values::Personal;

use super::{at, form, tenant_id, usual, value};
use crate::golden_files::Golden;

fn user_id() -> UserId {
    value("019df20e-1370-7e0b-b3d2-6c94a1f05e12")
}

fn session_id() -> SessionId {
    value("019e85f1-0a44-7b93-8c5d-71f2e6a09b34")
}

pub(super) fn users() -> Vec<Golden> {
    let (user_id, tenant_id) = (user_id(), tenant_id());
    let email = || Personal::new(value("olga@severny-les.example"));
    let name = Personal::new(value("Olga Sokolova"));
    let role = RoleName::user();
    let until = at("07:01:12.402");
    vec![
        usual::<User>(&UserEvent::UserPasswordChanged {
            user_id,
            tenant_id: Some(tenant_id),
            at: at("07:30:00.118204"),
        }),
        usual::<User>(&UserEvent::UserRoleChanged { user_id, tenant_id, role, token_version: 1, at: at("08:10:09") }),
        usual::<User>(&UserEvent::UserRenamed { user_id, tenant_id: Some(tenant_id), name, at: at("08:12:40.5") }),
        usual::<User>(&UserEvent::UserDeactivated {
            user_id,
            tenant_id: Some(tenant_id),
            email: email(),
            token_version: 2,
            at: at("17:00:00"),
        }),
        usual::<User>(&UserEvent::UserReactivated {
            user_id,
            tenant_id: Some(tenant_id),
            email: email(),
            at: at("18:00:00"),
        }),
        usual::<User>(&UserEvent::UserRemoved { user_id, tenant_id: Some(tenant_id), at: at("18:30:00") }),
        usual::<User>(&UserEvent::UserLockedOut {
            user_id,
            tenant_id: Some(tenant_id),
            failures: 5,
            until,
            at: at("07:00:12.402"),
        }),
    ]
}

pub(super) fn sessions() -> Vec<Golden> {
    let opened = |user_agent: &str, ip: &str| SessionEvent::SessionOpened {
        session_id: session_id(),
        user_id: user_id(),
        tenant_id: Some(tenant_id()),
        method: SignInMethod::Password,
        user_agent: Some(Personal::new(user_agent.to_owned())),
        ip: Some(Personal::new(ip.to_owned())),
        ends_at: value("2026-08-31T06:58:21.700113Z"),
        at: at("06:58:21.700113"),
    };
    let revoked = |reason| SessionEvent::SessionRevoked {
        session_id: session_id(),
        user_id: user_id(),
        tenant_id: Some(tenant_id()),
        reason,
        at: at("16:45:02.031"),
    };
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";
    vec![
        usual::<Session>(&opened(browser, "198.51.100.23")),
        usual::<Session>(&revoked(RevocationReason::SignedOut)),
        form::<Session>("refresh_reused", &revoked(RevocationReason::RefreshReused)),
    ]
}
