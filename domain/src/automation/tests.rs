use chrono_tz::Tz;
use cqrs_es::test::TestFramework;
use uuid::Uuid;

use super::{Automation, AutomationCommand, AutomationError, AutomationEvent, DefineAutomation, Schedule};
use crate::ids::TenantId;
use crate::period::DayBorder;

fn definition(time_zone: Tz) -> DefineAutomation {
    DefineAutomation {
        tenant_id: TenantId::from(Uuid::from_u128(1)),
        day: DayBorder { time_zone, starts_at: "00:00:00".parse().unwrap() },
        schedule: Schedule::Manual,
        at: "2026-06-01T00:00:00Z".parse().unwrap(),
    }
}

fn defined(time_zone: Tz) -> AutomationEvent {
    let DefineAutomation { tenant_id, day, schedule, at } = definition(time_zone);
    AutomationEvent::AutomationDefined { tenant_id, day, schedule, at }
}

fn automation() -> TestFramework<Automation> {
    TestFramework::with(())
}

#[test]
fn a_definition_is_recorded() {
    automation()
        .given_no_previous_events()
        .when(AutomationCommand::Define(definition(Tz::UTC)))
        .then_expect_events(vec![defined(Tz::UTC)]);
}

#[test]
fn the_same_definition_again_changes_nothing() {
    automation()
        .given(vec![defined(Tz::UTC)])
        .when(AutomationCommand::Define(definition(Tz::UTC)))
        .then_expect_events(vec![]);
}

#[test]
fn a_new_time_zone_is_recorded() {
    automation()
        .given(vec![defined(Tz::UTC)])
        .when(AutomationCommand::Define(definition(Tz::Asia__Almaty)))
        .then_expect_events(vec![defined(Tz::Asia__Almaty)]);
}

#[test]
fn another_tenant_does_not_find_it() {
    let foreign = DefineAutomation { tenant_id: TenantId::from(Uuid::from_u128(9)), ..definition(Tz::UTC) };
    automation()
        .given(vec![defined(Tz::UTC)])
        .when(AutomationCommand::Define(foreign))
        .then_expect_error(AutomationError::NotFound);
}
