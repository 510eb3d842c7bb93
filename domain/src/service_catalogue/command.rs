use chrono::{DateTime, Utc};

use crate::access::CatalogueEntry;
use crate::ids::TenantId;
use crate::values::DisplayName;

/// What can be asked of a catalogue, for whom, and when.
#[derive(Debug, Clone)]
pub struct CatalogueCommand {
    /// The tenant.
    pub tenant_id: TenantId,
    /// What.
    pub ask: CatalogueAsk,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What can be asked of a catalogue.
#[derive(Debug, Clone)]
pub enum CatalogueAsk {
    /// Fill it, unless it has ever been filled.
    Provide(Vec<(CatalogueEntry, DisplayName)>),
    /// Add an entry.
    Add(CatalogueEntry, DisplayName),
    /// Give an entry another title.
    Rename(CatalogueEntry, DisplayName),
    /// Take an entry out.
    Remove(CatalogueEntry),
}
