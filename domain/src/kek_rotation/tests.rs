use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;

use super::{KekRotation, KekRotationCommand, KekRotationError, KekRotationEvent};

const KEK: &str = "0b1c6cdf5ce3fb6d";

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn begin() -> KekRotationCommand {
    KekRotationCommand::Begin { kek_id: KEK.into(), data_keys: 3, at: at() }
}

fn begun() -> KekRotationEvent {
    KekRotationEvent::KekRotationBegun { kek_id: KEK.into(), data_keys: 3, at: at() }
}

fn complete() -> KekRotationCommand {
    KekRotationCommand::Complete { at: at() }
}

fn completed() -> KekRotationEvent {
    KekRotationEvent::KekRotationCompleted { kek_id: KEK.into(), at: at() }
}

fn rotation() -> TestFramework<KekRotation> {
    TestFramework::with(())
}

#[test]
fn it_begins_once_until_it_is_complete() {
    rotation().given_no_previous_events().when(begin()).then_expect_events(vec![begun()]);
    rotation().given(vec![begun()]).when(begin()).then_expect_events(vec![]);
    rotation().given(vec![begun(), completed()]).when(begin()).then_expect_events(vec![begun()]);
}

#[test]
fn it_is_completed_once_after_it_was_begun() {
    rotation().given_no_previous_events().when(complete()).then_expect_error(KekRotationError::NotFound);
    rotation().given(vec![begun()]).when(complete()).then_expect_events(vec![completed()]);
    rotation().given(vec![begun(), completed()]).when(complete()).then_expect_events(vec![]);
}
