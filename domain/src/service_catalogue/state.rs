use serde::{Deserialize, Serialize};

use super::ServiceCatalogueEvent;
use super::event::EntryChange;
use crate::access::Catalogue;
use crate::ids::TenantId;

/// The situations of a catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum ServiceCatalogue {
    /// Nothing was ever added.
    #[default]
    Absent,
    /// It holds, or held, what the tenant added.
    Kept(TenantId, Catalogue),
}

impl ServiceCatalogue {
    /// What the tenant has added.
    pub fn catalogue(&self) -> Option<&Catalogue> {
        match self {
            Self::Absent => None,
            Self::Kept(_, catalogue) => Some(catalogue),
        }
    }

    /// The situation after one more event.
    #[must_use]
    pub fn evolve(self, event: ServiceCatalogueEvent) -> Self {
        let mut catalogue = match self {
            Self::Absent => Catalogue::default(),
            Self::Kept(_, catalogue) => catalogue,
        };
        let (tenant_id, entry, change, _) = event.parts();
        match change {
            EntryChange::Added(title) | EntryChange::Renamed(title) => catalogue.put(entry, title),
            EntryChange::Removed => catalogue.take(&entry),
        }
        Self::Kept(tenant_id, catalogue)
    }
}
