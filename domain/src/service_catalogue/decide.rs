use chrono::{DateTime, Utc};

use super::event::EntryChange;
use super::{
    CatalogueAsk, CatalogueCommand, MOST_ENTRIES, ServiceCatalogue, ServiceCatalogueError, ServiceCatalogueEvent,
};
use crate::access::{Catalogue, CatalogueEntry};
use crate::ids::TenantId;
use crate::values::DisplayName;

impl ServiceCatalogue {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: CatalogueCommand) -> Result<Vec<ServiceCatalogueEvent>, ServiceCatalogueError> {
        let CatalogueCommand { tenant_id, ask, at } = command;
        let empty = Catalogue::default();
        let now = self.catalogue().unwrap_or(&empty);
        let changed = match ask {
            CatalogueAsk::Provide(entries) => return Ok(self.provide(tenant_id, entries, at)),
            CatalogueAsk::Add(entry, title) => add(now, entry, title)?,
            CatalogueAsk::Rename(entry, title) => rename(now, entry, title)?,
            CatalogueAsk::Remove(entry) => Some(remove(now, entry)?),
        };
        Ok(changed.into_iter().map(|(entry, change)| ServiceCatalogueEvent::of(tenant_id, entry, change, at)).collect())
    }

    /// The entries come from a reviewed table, whose permissions are made of what it names.
    fn provide(
        &self,
        tenant_id: TenantId,
        entries: Vec<(CatalogueEntry, DisplayName)>,
        at: DateTime<Utc>,
    ) -> Vec<ServiceCatalogueEvent> {
        match self {
            Self::Kept(..) => Vec::new(),
            Self::Absent => entries
                .into_iter()
                .map(|(entry, title)| ServiceCatalogueEvent::of(tenant_id, entry, EntryChange::Added(title), at))
                .collect(),
        }
    }
}

type Changed = (CatalogueEntry, EntryChange);

fn add(now: &Catalogue, entry: CatalogueEntry, title: DisplayName) -> Result<Option<Changed>, ServiceCatalogueError> {
    if now.title(&entry) == Some(&title) {
        return Ok(None);
    }
    if now.knows(&entry) {
        return Err(ServiceCatalogueError::AlreadyExists(entry));
    }
    if now.len() >= MOST_ENTRIES {
        return Err(ServiceCatalogueError::Full);
    }
    if let CatalogueEntry::Permission(service, action) = &entry {
        let parts = [CatalogueEntry::Service(service.clone()), CatalogueEntry::Action(action.clone())];
        if let Some(missing) = parts.into_iter().find(|part| !now.knows(part)) {
            return Err(ServiceCatalogueError::Missing(missing));
        }
    }
    Ok(Some((entry, EntryChange::Added(title))))
}

fn rename(
    now: &Catalogue,
    entry: CatalogueEntry,
    title: DisplayName,
) -> Result<Option<Changed>, ServiceCatalogueError> {
    let present = added(now, &entry)?;
    Ok((*present != title).then_some((entry, EntryChange::Renamed(title))))
}

fn remove(now: &Catalogue, entry: CatalogueEntry) -> Result<Changed, ServiceCatalogueError> {
    added(now, &entry)?;
    match now.user_of(&entry) {
        Some(user) => Err(ServiceCatalogueError::InUse(user)),
        None => Ok((entry, EntryChange::Removed)),
    }
}

/// The title of an entry that the tenant may change.
fn added<'a>(now: &'a Catalogue, entry: &CatalogueEntry) -> Result<&'a DisplayName, ServiceCatalogueError> {
    if entry.is_built_in() {
        return Err(ServiceCatalogueError::BuiltIn(entry.clone()));
    }
    now.title(entry).ok_or(ServiceCatalogueError::NotFound)
}
