//! Which events and which rows a rebuild is about, as conditions in SQL. They hold ids and names of this program alone.

use domain::events::CATALOGUE;
use domain::ids::TenantId;
use domain::rebuild::RebuildScope;

use crate::projections::{Follows, Table};

/// The condition on events, to follow others; empty where every event counts. It is one that an index of the log leads
/// with: the tenant's events in their order, or the aggregate's by the key.
pub(super) fn events_of(scope: RebuildScope, follows: Follows) -> String {
    match scope {
        RebuildScope::Everyone => String::new(),
        RebuildScope::Tenant { tenant_id } => format!("and {}", of_tenant("tenant_id", Some(tenant_id))),
        RebuildScope::Aggregate { aggregate_id, tenant_id } => {
            let types: Vec<String> = followed_types(follows).iter().map(|name| format!("'{name}'")).collect();
            format!(
                "and aggregate_type in ({}) and aggregate_id = '{aggregate_id}' and {}",
                types.join(", "),
                of_tenant("tenant_id", tenant_id)
            )
        }
    }
}

/// The condition on a table's live rows; none where all rows count.
pub(super) fn rows_of(scope: RebuildScope, table: &Table) -> Option<String> {
    match scope {
        RebuildScope::Everyone => None,
        RebuildScope::Tenant { tenant_id } => Some(of_tenant(table.tenant, Some(tenant_id))),
        RebuildScope::Aggregate { aggregate_id, tenant_id } => {
            let whose = of_tenant(table.tenant, tenant_id);
            // A table without the column is refused before anything is built; `false` would only ever add no row.
            Some(
                table.aggregate.map_or("false".to_owned(), |column| format!("{whose} and {column} = '{aggregate_id}'")),
            )
        }
    }
}

/// The names of the kinds of aggregates that a projection follows.
pub(super) fn followed_types(follows: Follows) -> Vec<&'static str> {
    match follows {
        Follows::Everything => CATALOGUE.iter().map(|(name, _)| *name).collect(),
        Follows::Aggregate(name) => vec![name],
    }
}

fn of_tenant(column: &str, tenant: Option<TenantId>) -> String {
    tenant.map_or_else(|| format!("{column} is null"), |tenant| format!("{column} = '{tenant}'"))
}
