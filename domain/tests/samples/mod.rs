//! Events with values as they occur in use, from which missing golden files are written.

mod access;
mod accounts;
mod people;
mod rebuilds;
mod runs;
mod setup;
mod staff;
mod tenants;

use chrono::{DateTime, Utc};
use cqrs_es::{Aggregate, DomainEvent};
use domain::ids::{RunId, TenantId};

use crate::golden_files::Golden;

/// A sample of every event, and of each further form that differs in its fields.
pub(crate) fn all() -> Vec<Golden> {
    [
        tenants::tenants(),
        tenants::impersonations(),
        setup::users(),
        setup::api_keys(),
        accounts::users(),
        accounts::sessions(),
        people::users(),
        people::invitations(),
        people::second_factors(),
        setup::integrations(),
        setup::automations(),
        runs::runs(),
        runs::reports(),
        rebuilds::rebuilds(),
        access::roles(),
        access::catalogues(),
        access::owners(),
        staff::users(),
        staff::second_factors(),
        staff::super_admins(),
        staff::kek_rotations(),
        staff::data_key_rotations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn usual<A: Aggregate>(event: &A::Event) -> Golden {
    let text = serde_json::to_string_pretty(event).expect("an event is JSON") + "\n";
    Golden {
        aggregate: A::TYPE.to_owned(),
        event: event.event_type(),
        version: event.event_version(),
        form: None,
        text,
    }
}

fn form<A: Aggregate>(name: &str, event: &A::Event) -> Golden {
    Golden { form: Some(name.to_owned()), ..usual::<A>(event) }
}

/// A value from its text.
fn value<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn tenant_id() -> TenantId {
    value("019df20e-0ba0-7c41-9a51-2f7e0b6c1d01")
}

fn run_id() -> RunId {
    value("019e860f-2500-7b52-a0c8-1e6f7d3b9c34")
}

/// A moment of the morning on which the sample run works.
fn at(time: &str) -> DateTime<Utc> {
    value(&format!("2026-06-02T{time}Z"))
}
