//! Changing what a company adds to the built-in services, actions and permissions.

use std::sync::Arc;

use domain::access::{CatalogueEntry, EntryKind, Permission};
use domain::ids::{CatalogueId, EntryId};
use domain::service_catalogue::{CatalogueAsk, CatalogueCommand, ServiceCatalogue, ServiceCatalogueError};
use domain::values::DisplayName;

use crate::context::{RequestContext, TenantScope};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};

/// What became of a request about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryOutcome {
    /// The entry.
    pub entry_id: EntryId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

/// Changes the catalogue.
pub struct ManageCatalogue {
    /// The log.
    pub catalogues: Arc<dyn Commands<ServiceCatalogue>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ManageCatalogue {
    /// Adds an entry; adding it again with the same title changes nothing.
    ///
    /// # Errors
    /// `conflict` where it is there, or is made of what is not there.
    pub async fn add(
        &self,
        context: &RequestContext,
        entry: CatalogueEntry,
        title: DisplayName,
    ) -> Result<EntryOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        let entry_id = EntryId::of(scope.tenant_id(), &entry);
        self.decide(&scope, entry_id, CatalogueAsk::Add(entry, title)).await
    }

    /// Gives an entry another title.
    ///
    /// # Errors
    /// `not_found`; `conflict` for what is built in.
    pub async fn rename(
        &self,
        context: &RequestContext,
        (kind, id): (EntryKind, EntryId),
        title: DisplayName,
    ) -> Result<EntryOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        let entry = self.entry(&scope, kind, id).await?;
        self.decide(&scope, id, CatalogueAsk::Rename(entry, title)).await
    }

    /// Takes an entry out. Roles that name it may keep doing so; it denies until it is there again.
    ///
    /// # Errors
    /// `not_found`; `conflict` for what is built in, and while a permission is made of it.
    pub async fn remove(
        &self,
        context: &RequestContext,
        (kind, id): (EntryKind, EntryId),
    ) -> Result<EntryOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        let entry = self.entry(&scope, kind, id).await?;
        self.decide(&scope, id, CatalogueAsk::Remove(entry)).await
    }

    async fn decide(&self, scope: &TenantScope, id: EntryId, ask: CatalogueAsk) -> Result<EntryOutcome, AppError> {
        let tenant_id = scope.tenant_id();
        let command = CatalogueCommand { tenant_id, ask, at: self.clock.now() };
        let recorded = self.catalogues.execute(scope.context(), CatalogueId::of(tenant_id).uuid(), command).await?;
        Ok(EntryOutcome { entry_id: id, position: recorded.position, replayed: recorded.replayed })
    }

    /// The entry of this id, built in or added.
    async fn entry(&self, scope: &TenantScope, kind: EntryKind, id: EntryId) -> Result<CatalogueEntry, AppError> {
        let tenant_id = scope.tenant_id();
        let kept = self.catalogues.load(CatalogueId::of(tenant_id).uuid()).await?;
        let added =
            kept.catalogue().into_iter().flat_map(|catalogue| catalogue.entries().map(|(entry, _)| entry.clone()));
        let mut entries = CatalogueEntry::built_in().into_iter().chain(added);
        let found = entries.find(|entry| entry.kind() == kind && EntryId::of(tenant_id, entry) == id);
        Ok(found.ok_or(ServiceCatalogueError::NotFound)?)
    }
}
