use chrono::{DateTime, Utc};
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{DataKeyRotation, DataKeyRotationCommand, DataKeyRotationError, DataKeyRotationEvent};
use crate::ids::TenantId;

fn tenant_id() -> TenantId {
    Uuid::from_u128(1).into()
}

fn at() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn begin(generation: u32) -> DataKeyRotationCommand {
    DataKeyRotationCommand::Begin { tenant_id: tenant_id(), generation, at: at() }
}

fn begun(generation: u32) -> DataKeyRotationEvent {
    DataKeyRotationEvent::DataKeyRotationBegun { tenant_id: tenant_id(), generation, at: at() }
}

fn complete() -> DataKeyRotationCommand {
    DataKeyRotationCommand::Complete { sealed_anew: 3, at: at() }
}

fn completed(generation: u32) -> DataKeyRotationEvent {
    DataKeyRotationEvent::DataKeyRotationCompleted { tenant_id: tenant_id(), generation, sealed_anew: 3, at: at() }
}

fn rotation() -> TestFramework<DataKeyRotation> {
    TestFramework::with(())
}

#[test]
fn one_begins_after_the_other_is_complete() {
    rotation().given_no_previous_events().when(begin(2)).then_expect_events(vec![begun(2)]);
    rotation().given(vec![begun(2)]).when(begin(3)).then_expect_events(vec![]);
    rotation().given(vec![begun(2), completed(2)]).when(begin(3)).then_expect_events(vec![begun(3)]);
}

#[test]
fn it_is_completed_once_after_it_was_begun() {
    rotation().given_no_previous_events().when(complete()).then_expect_error(DataKeyRotationError::NotFound);
    rotation().given(vec![begun(2)]).when(complete()).then_expect_events(vec![completed(2)]);
    rotation().given(vec![begun(2), completed(2)]).when(complete()).then_expect_events(vec![]);
}
