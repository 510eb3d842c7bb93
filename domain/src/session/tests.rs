use cqrs_es::test::TestFramework;

use super::{OpenSession, RevocationReason, Session, SessionCommand, SessionError, SessionEvent, SignInMethod};
use crate::values::Personal;

fn open() -> OpenSession {
    OpenSession {
        session_id: uuid::Uuid::from_u128(3).into(),
        user_id: uuid::Uuid::from_u128(2).into(),
        tenant_id: Some(uuid::Uuid::from_u128(1).into()),
        method: SignInMethod::Password,
        user_agent: Some(Personal::new("Firefox".into())),
        ip: Some(Personal::new("192.0.2.7".into())),
        ends_at: "2026-09-01T00:00:00Z".parse().unwrap(),
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn opened() -> SessionEvent {
    let OpenSession { session_id, user_id, tenant_id, method, user_agent, ip, ends_at, at } = open();
    SessionEvent::SessionOpened { session_id, user_id, tenant_id, method, user_agent, ip, ends_at, at }
}

fn revoked(reason: RevocationReason) -> SessionEvent {
    let OpenSession { session_id, user_id, tenant_id, at, .. } = open();
    SessionEvent::SessionRevoked { session_id, user_id, tenant_id, reason, at }
}

fn revoke(reason: RevocationReason) -> SessionCommand {
    SessionCommand::Revoke { reason, at: open().at }
}

fn session() -> TestFramework<Session> {
    TestFramework::with(())
}

#[test]
fn a_sign_in_opens_a_session() {
    session().given_no_previous_events().when(SessionCommand::Open(open())).then_expect_events(vec![opened()]);
}

#[test]
fn a_session_is_opened_once() {
    session().given(vec![opened()]).when(SessionCommand::Open(open())).then_expect_error(SessionError::AlreadyOpened);
}

#[test]
fn an_open_session_can_be_revoked() {
    session()
        .given(vec![opened()])
        .when(revoke(RevocationReason::SignedOut))
        .then_expect_events(vec![revoked(RevocationReason::SignedOut)]);
}

#[test]
fn the_first_reason_stays() {
    session()
        .given(vec![opened(), revoked(RevocationReason::RefreshReused)])
        .when(revoke(RevocationReason::SignedOut))
        .then_expect_events(vec![]);
}

#[test]
fn what_was_never_opened_cannot_be_revoked() {
    session()
        .given_no_previous_events()
        .when(revoke(RevocationReason::ByAdmin))
        .then_expect_error(SessionError::NotFound);
}

#[test]
fn the_address_is_not_printed() {
    assert!(!format!("{:?} {:?}", open(), opened()).contains("192.0.2.7"));
}
