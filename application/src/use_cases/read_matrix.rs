//! Looking at roles and at what they can speak of.

use std::sync::Arc;

use chrono::DateTime;
use domain::ErrorKind;
use domain::access::{CatalogueEntry, EntryKind, Permission};
use domain::ids::{EntryId, RoleId};

use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::access::{AddedEntries, EntryView, RoleView, Roles};
use crate::ports::read_models::{Cursor, Found, Page, PageRequest};

/// Reads roles and the catalogue.
pub struct ReadMatrix {
    /// The read model of roles.
    pub roles: Arc<dyn Roles>,
    /// The read model of what tenants have added.
    pub entries: Arc<dyn AddedEntries>,
}

impl ReadMatrix {
    /// One role.
    ///
    /// # Errors
    /// `not_found`, for another tenant's role too.
    pub async fn role(&self, context: &RequestContext, id: RoleId) -> Result<Found<RoleView>, AppError> {
        let scope = context.authorize(Permission::RolesRead)?;
        let missing = AppError::new(ErrorKind::NotFound, "role.not_found", "There is no such role.");
        self.roles.get(&scope, id).await?.or_missing(missing)
    }

    /// The roles in use, newest first.
    pub async fn roles(&self, context: &RequestContext, page: PageRequest) -> Result<Page<RoleView>, AppError> {
        let scope = context.authorize(Permission::RolesRead)?;
        Ok(self.roles.list(&scope, page).await?)
    }

    /// One entry of the catalogue, built in or added.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn entry(
        &self,
        context: &RequestContext,
        kind: EntryKind,
        id: EntryId,
    ) -> Result<Found<EntryView>, AppError> {
        let scope = context.authorize(Permission::RolesRead)?;
        let Found { item: entries, parked } = self.entries_of(&scope, kind).await?;
        let item = entries.into_iter().find(|entry| entry.id == id);
        let missing = || AppError::new(ErrorKind::NotFound, "catalogue.not_found", "There is no such entry.");
        Ok(Found { item: item.ok_or_else(missing)?, parked })
    }

    /// Entries of one kind, newest first; what is built in comes last.
    pub async fn entries(
        &self,
        context: &RequestContext,
        kind: EntryKind,
        page: PageRequest,
    ) -> Result<Page<EntryView>, AppError> {
        let scope = context.authorize(Permission::RolesRead)?;
        let Found { item: mut entries, parked } = self.entries_of(&scope, kind).await?;
        let place = |entry: &EntryView| Cursor { at: entry.added_at, id: entry.id.uuid() };
        let order = |cursor: Cursor| (cursor.at, cursor.id);
        entries.sort_by_key(|entry| std::cmp::Reverse(order(place(entry))));
        if let Some(after) = page.after {
            entries.retain(|entry| order(place(entry)) < order(after));
        }
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(Page { next: entries.last().filter(|_| more).map(place), items: entries, parked })
    }

    async fn entries_of(&self, scope: &TenantScope, kind: EntryKind) -> Result<Found<Vec<EntryView>>, AppError> {
        let mut found = self.entries.of_kind(scope, kind).await?;
        // What became a built-in entry after a company had added it is shown once.
        found.item.retain(|entry| !entry.entry.is_built_in());
        let built_in = CatalogueEntry::built_in().into_iter().filter(|entry| entry.kind() == kind);
        found.item.extend(built_in.map(|entry| EntryView {
            id: EntryId::of(scope.tenant_id(), &entry),
            title: entry.to_string(),
            entry,
            built_in: true,
            added_at: DateTime::UNIX_EPOCH,
        }));
        Ok(found)
    }
}
