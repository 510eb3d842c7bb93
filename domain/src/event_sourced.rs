//! What the event log needs to know of an aggregate beyond `cqrs_es::Aggregate`.

use cqrs_es::Aggregate;

use crate::error::Classified;
use crate::ids::TenantId;

/// Who must not have the same value twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimScope {
    /// Unique in the whole platform.
    Platform,
    /// Unique within one tenant.
    Tenant(TenantId),
}

impl ClaimScope {
    /// The tenant within which the value is unique; none for the platform.
    pub fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Platform => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}

/// A unique value that an event takes or gives back, stored in the same statement as the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimChange {
    /// The value must be free; it belongs to the aggregate from this event on.
    Take {
        /// Where the value must be unique.
        scope: ClaimScope,
        /// The field's name as users know it, for example `email`.
        kind: &'static str,
        /// The value in its compared form (for example lower case).
        value: String,
    },
    /// The value is free again.
    Release {
        /// Where the value was unique.
        scope: ClaimScope,
        /// The field's name.
        kind: &'static str,
        /// The value in its compared form.
        value: String,
    },
}

/// An aggregate that the event log can store.
pub trait EventSourced:
    Aggregate<
        Services = (),
        Command: Clone + Send + Sync + 'static,
        Event: 'static,
        Error: Classified + Send + Sync + 'static,
    > + Clone
    + 'static
{
    /// False until the first event.
    fn exists(&self) -> bool;

    /// The tenant that owns the aggregate; `None` for the platform's own, and before the first event.
    fn tenant(&self) -> Option<TenantId>;

    /// The refusal of commands to an aggregate that is not there. Another tenant's aggregate answers the same, so that
    /// nobody learns that it exists.
    fn absent() -> Self::Error;

    /// Unique values that the event takes or releases.
    fn claims(_event: &Self::Event) -> Vec<ClaimChange> {
        Vec::new()
    }
}
