//! Read models are built anew after an incident.

use std::collections::BTreeMap;

use domain::ids::RebuildId;
use domain::rebuild::{Rebuild, RebuildEvent, RebuildGoal, RebuildOutcome, RebuildScope};
use domain::values::Reason;

use super::{at, form, run_id, tenant_id, usual, value};
use crate::golden_files::Golden;

fn rebuild_id() -> RebuildId {
    value("019e8b2d-71c4-7d0a-9f36-4ce1a05b8d72")
}

pub(super) fn rebuilds() -> Vec<Golden> {
    let started = |projection, scope, goal, reason: Option<&str>| RebuildEvent::RebuildStarted {
        rebuild_id: rebuild_id(),
        projection: value(projection),
        scope,
        goal,
        reason: reason.map(value::<Reason>),
        at: at("11:20:05.310044"),
    };
    let of_tenant = RebuildScope::Tenant { tenant_id: tenant_id() };
    let of_run = RebuildScope::Aggregate { aggregate_id: run_id().uuid(), tenant_id: Some(tenant_id()) };
    let lost = Some("Rows were lost when a script was run by hand.");
    let finished = |outcome, tenants_differing, rows_differing| RebuildEvent::RebuildFinished {
        rebuild_id: rebuild_id(),
        outcome,
        tenants_differing,
        rows_differing,
        at: at("11:20:07.904518"),
    };
    let rows = BTreeMap::from([("run_steps".to_owned(), 24), ("runs".to_owned(), 3)]);
    vec![
        usual::<Rebuild>(&started("runs", of_tenant, RebuildGoal::Exchange, lost)),
        form::<Rebuild>("aggregate", &started("runs", of_run, RebuildGoal::Exchange, lost)),
        form::<Rebuild>("verification", &started("users", RebuildScope::Everyone, RebuildGoal::Verify, None)),
        usual::<Rebuild>(&finished(RebuildOutcome::Exchanged, 1, rows)),
        form::<Rebuild>("nothing_differs", &finished(RebuildOutcome::Verified, 0, BTreeMap::new())),
    ]
}
