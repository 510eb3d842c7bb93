//! Which aggregate, and whose, as the tables name them.

use std::borrow::Cow;

use domain::ids::TenantId;
use uuid::Uuid;

use super::reader::LoggedEvent;

/// Which aggregate: its type's name and its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AggregateKey {
    /// The frozen name of its type.
    pub aggregate_type: Cow<'static, str>,
    /// Its id.
    pub aggregate_id: String,
}

impl AggregateKey {
    /// The aggregate of this type with this id.
    pub fn new(aggregate_type: impl Into<Cow<'static, str>>, aggregate_id: impl Into<String>) -> Self {
        Self { aggregate_type: aggregate_type.into(), aggregate_id: aggregate_id.into() }
    }

    /// The event's aggregate.
    pub(crate) fn of(event: &LoggedEvent) -> Self {
        Self::new(event.aggregate_type.clone(), event.aggregate_id.clone())
    }
}

/// The tenant in a column that is part of a key and so cannot be null: the nil UUID stands for the platform.
pub(crate) fn tenant_in_key(tenant: Option<TenantId>) -> Uuid {
    tenant.map_or(Uuid::nil(), TenantId::uuid)
}

/// The tenant that such a column names; none for the platform.
pub(crate) fn tenant_of_key(tenant: Uuid) -> Option<TenantId> {
    (!tenant.is_nil()).then(|| tenant.into())
}
