//! Keys with which a company's programs ask the API.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::access::{Grant, Permission};
use domain::api_key::{ApiKey, ApiKeyCommand, ApiKeyError, CreateApiKey};
use domain::ids::{ApiKeyId, CatalogueId, TenantId};
use domain::role::Role;
use domain::service_catalogue::ServiceCatalogue;
use domain::values::DisplayName;
use secrecy::SecretString;

use super::manage_roles::authority;
use crate::context::{RequestContext, TenantScope};
use crate::error::{AppError, chain};
use crate::ports::api_keys::{ApiKeySecrets, ApiKeyView, ApiKeys};
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::{Commands, LogPosition, Recorded};
use crate::ports::read_models::{Found, Page, PageRequest};

/// A key to create.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What people call it.
    pub name: DisplayName,
    /// What it may do.
    pub scopes: Vec<Grant>,
    /// First instant at which it is no longer valid.
    pub expires_at: DateTime<Utc>,
}

/// A key that was created.
#[derive(Debug)]
pub struct CreatedApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The whole key, this once; none where the request was a repeat: its first answer showed it.
    pub key: Option<SecretString>,
    /// The request's place in the log.
    pub position: Option<LogPosition>,
}

/// A key, and when it was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedApiKey {
    /// The key.
    pub view: ApiKeyView,
    /// Exact to a minute; none where it was never used, or is revoked.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Creates, lists and revokes keys. Only a person creates or revokes one: a key that could make keys would outlive its own
/// revocation.
pub struct ManageApiKeys {
    /// The log of keys.
    pub keys: Arc<dyn Commands<ApiKey>>,
    /// The log of roles, which say what a creator may give.
    pub roles: Arc<dyn Commands<Role>>,
    /// The log of catalogues, whose entries a scope may name.
    pub catalogues: Arc<dyn Commands<ServiceCatalogue>>,
    /// Their secrets.
    pub secrets: Arc<dyn ApiKeySecrets>,
    /// The read model.
    pub views: Arc<dyn ApiKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of keys.
    pub ids: Arc<dyn Ids>,
}

impl ManageApiKeys {
    /// Creates a key. Its secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// `forbidden` without the right, for another key, and for scopes that the creator's role does not have; `invalid` for
    /// scopes that the catalogue does not know, and for an end that is past or too far away.
    pub async fn create(&self, context: &RequestContext, new: NewApiKey) -> Result<CreatedApiKey, AppError> {
        let scope = context.authorize(Permission::ApiKeysWrite)?;
        let created_by = context.require_user()?;
        if let Some(first) = self.keys.first_outcome(scope.context()).await? {
            return Ok(CreatedApiKey { id: first.id.into(), key: None, position: first.position });
        }
        self.require_known(&scope, &new.scopes).await?;
        let by = authority(self.roles.as_ref(), &scope).await?;
        let beyond_creator = new.scopes.iter().filter(|wanted| by.may_grant(wanted).is_err()).cloned().collect();
        let (api_key_id, tenant_id) = (ApiKeyId::from(self.ids.next()), scope.tenant_id());
        let NewApiKey { name, scopes, expires_at } = new;
        let at = self.clock.now();
        let create = CreateApiKey { api_key_id, tenant_id, name, scopes, beyond_creator, expires_at, created_by, at };
        self.record(&scope, create).await
    }

    /// Ends a key for good. Doing it again changes nothing.
    ///
    /// # Errors
    /// `forbidden` without the right, and for another key; `not_found` for another company's.
    pub async fn revoke(&self, context: &RequestContext, id: ApiKeyId) -> Result<Option<LogPosition>, AppError> {
        let scope = context.authorize(Permission::ApiKeysWrite)?;
        let revoke = ApiKeyCommand::Revoke { revoked_by: context.require_user()?, at: self.clock.now() };
        let recorded = self.keys.execute(scope.context(), id.uuid(), revoke).await?;
        self.forget(scope.tenant_id(), id).await;
        Ok(recorded.position)
    }

    /// A key of the company.
    ///
    /// # Errors
    /// `forbidden` without the right; `not_found` for another company's.
    pub async fn get(&self, context: &RequestContext, id: ApiKeyId) -> Result<Found<ListedApiKey>, AppError> {
        let scope = context.authorize(Permission::ApiKeysRead)?;
        let found = self.views.get(&scope, id).await?.or_missing(ApiKeyError::NotFound.into())?;
        let last_used_at = self.secrets.last_used(scope.tenant_id(), &[id]).await?.remove(&id);
        Ok(Found { item: ListedApiKey { view: found.item, last_used_at }, parked: found.parked })
    }

    /// The company's keys, newest first, those that were revoked or are out of time included.
    ///
    /// # Errors
    /// `forbidden` without the right.
    pub async fn list(&self, context: &RequestContext, page: PageRequest) -> Result<Page<ListedApiKey>, AppError> {
        let scope = context.authorize(Permission::ApiKeysRead)?;
        let Page { items, next, parked } = self.views.list(&scope, page).await?;
        let ids: Vec<ApiKeyId> = items.iter().map(|view| view.id).collect();
        let used = self.secrets.last_used(scope.tenant_id(), &ids).await?;
        let listed = |view: ApiKeyView| ListedApiKey { last_used_at: used.get(&view.id).copied(), view };
        Ok(Page { items: items.into_iter().map(listed).collect(), next, parked })
    }

    /// Keeps the secret first, so that whoever is cut off in between repeats the request and gets a key that works; a
    /// secret without an event opens nothing.
    async fn record(&self, scope: &TenantScope, create: CreateApiKey) -> Result<CreatedApiKey, AppError> {
        let (id, tenant_id) = (create.api_key_id, create.tenant_id);
        let key = self.secrets.issue(tenant_id, id).await?;
        match self.keys.execute(scope.context(), id.uuid(), ApiKeyCommand::Create(create)).await {
            Ok(Recorded { position, replayed: false, .. }) => Ok(CreatedApiKey { id, key: Some(key), position }),
            Ok(first) => {
                self.forget(tenant_id, id).await;
                Ok(CreatedApiKey { id: first.id.into(), key: None, position: first.position })
            }
            Err(error) => {
                self.forget(tenant_id, id).await;
                Err(error.into())
            }
        }
    }

    async fn require_known(&self, scope: &TenantScope, scopes: &[Grant]) -> Result<(), AppError> {
        let kept = self.catalogues.load(CatalogueId::of(scope.tenant_id()).uuid()).await?;
        let unknown = kept.catalogue().cloned().unwrap_or_default().unknown("scopes", scopes);
        if unknown.is_empty() { Ok(()) } else { Err(AppError::invalid(unknown)) }
    }

    /// What is left behind where this fails opens nothing, so it is no reason to fail.
    async fn forget(&self, tenant: TenantId, id: ApiKeyId) {
        if let Err(error) = self.secrets.forget(tenant, id).await {
            tracing::warn!(key = %id, error = chain(&error), "the secret of a key that opens nothing could not be deleted");
        }
    }
}
