//! Changing roles, and who may be given one.

use std::sync::Arc;

use domain::access::{Authority, Catalogue, Grant, Permission, Preset, RoleDefinition, RoleName};
use domain::ids::{CatalogueId, RoleId, TenantId, UserId};
use domain::owners::{Owners, OwnersCommand};
use domain::role::{Role, RoleAsk, RoleChange, RoleCommand, RoleError, RoleEvent};
use domain::service_catalogue::ServiceCatalogue;
use domain::user::Membership;

use crate::context::{Actor, RequestContext, TenantScope, person_needed};
use crate::error::AppError;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, Expect, LogPosition, Recorded};

/// What became of a request about a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleOutcome {
    /// The role.
    pub role_id: RoleId,
    /// The request's place in the log; none where it changed nothing.
    pub position: Option<LogPosition>,
    /// True where the request was a repeat, and this is its first outcome.
    pub replayed: bool,
}

impl From<Recorded<RoleEvent>> for RoleOutcome {
    fn from(recorded: Recorded<RoleEvent>) -> Self {
        Self { role_id: RoleId::from(recorded.id), position: recorded.position, replayed: recorded.replayed }
    }
}

/// Changes roles.
pub struct ManageRoles {
    /// The log of roles.
    pub roles: Arc<dyn Commands<Role>>,
    /// The log of catalogues, whose entries a role may name.
    pub catalogues: Arc<dyn Commands<ServiceCatalogue>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ManageRoles {
    /// Defines a role.
    ///
    /// # Errors
    /// `invalid` for permissions that the catalogue does not know; `conflict` where there is a role of this name;
    /// `forbidden` for more than the caller may give.
    pub async fn define(&self, context: &RequestContext, role: RoleDefinition) -> Result<RoleOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        if let Some(first) = self.roles.first_outcome(scope.context()).await? {
            return Ok(first.into());
        }
        self.require_known(&scope, "permissions", &role.permissions).await?;
        let id = RoleId::of(scope.tenant_id(), &role.name);
        self.decide(&scope, id, Expect::Any, RoleAsk::Define(scope.tenant_id(), role)).await
    }

    /// Changes all of a role but its name and permissions.
    ///
    /// # Errors
    /// `not_found`; `conflict` where it has changed since the version that is expected; `forbidden` for a role that the
    /// caller may not manage.
    pub async fn change(
        &self,
        context: &RequestContext,
        id: RoleId,
        expect: Expect,
        change: RoleChange,
    ) -> Result<RoleOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        self.decide(&scope, id, expect, RoleAsk::Change(change)).await
    }

    /// Gives a role one more permission.
    ///
    /// # Errors
    /// As for [`Self::define`].
    pub async fn grant(
        &self,
        context: &RequestContext,
        id: RoleId,
        permission: Grant,
    ) -> Result<RoleOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        if let Some(first) = self.roles.first_outcome(scope.context()).await? {
            return Ok(first.into());
        }
        self.require_known(&scope, "permission", [&permission]).await?;
        self.decide(&scope, id, Expect::Any, RoleAsk::Grant(permission)).await
    }

    /// Takes a permission from a role. Taking what it does not have changes nothing.
    ///
    /// # Errors
    /// As for [`Self::change`].
    pub async fn revoke(
        &self,
        context: &RequestContext,
        id: RoleId,
        expect: Expect,
        permission: Grant,
    ) -> Result<RoleOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        self.decide(&scope, id, expect, RoleAsk::Revoke(permission)).await
    }

    /// Takes a role out of use; who still has it may nothing from then on.
    ///
    /// # Errors
    /// As for [`Self::change`].
    pub async fn remove(&self, context: &RequestContext, id: RoleId, expect: Expect) -> Result<RoleOutcome, AppError> {
        let scope = context.authorize(Permission::RolesWrite)?;
        self.decide(&scope, id, expect, RoleAsk::Remove).await
    }

    async fn decide(
        &self,
        scope: &TenantScope,
        id: RoleId,
        expect: Expect,
        ask: RoleAsk,
    ) -> Result<RoleOutcome, AppError> {
        let by = authority(self.roles.as_ref(), scope).await?;
        let command = RoleCommand { ask, by, at: self.clock.now() };
        Ok(self.roles.execute_expecting(scope.context(), id.uuid(), expect, command).await?.into())
    }

    async fn require_known<'a>(
        &self,
        scope: &TenantScope,
        field: &str,
        permissions: impl IntoIterator<Item = &'a Grant>,
    ) -> Result<(), AppError> {
        let kept = self.catalogues.load(CatalogueId::of(scope.tenant_id()).uuid()).await?;
        let nothing_added = Catalogue::default();
        let unknown = kept.catalogue().unwrap_or(&nothing_added).unknown(field, permissions);
        if unknown.is_empty() { Ok(()) } else { Err(AppError::invalid(unknown)) }
    }
}

/// Says who may be given a role, and keeps the list of owners.
///
/// Whoever changes a user's role asks [`Self::require`] for the old and the new one, records [`Self::taken`] before the
/// change and [`Self::given`] after it.
pub struct RoleAssignment {
    /// The log of roles.
    pub roles: Arc<dyn Commands<Role>>,
    /// The log of owners.
    pub owners: Arc<dyn Commands<Owners>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl RoleAssignment {
    /// Passes where the caller may give a user this role, or take it.
    ///
    /// # Errors
    /// `not_found` where there is no such role; `forbidden` where the caller's role does not manage it.
    pub async fn require(&self, scope: &TenantScope, role: &RoleName) -> Result<(), AppError> {
        let by = authority(self.roles.as_ref(), scope).await?;
        let wanted = definition(self.roles.as_ref(), scope.tenant_id(), role).await?.ok_or(RoleError::NotFound)?;
        Ok(by.may_manage(&wanted.name, wanted.level)?)
    }

    /// Whether whoever has this role of the company decides about others. A role that is not there has no power.
    pub(super) async fn has_power(&self, tenant: TenantId, role: &RoleName) -> Result<bool, AppError> {
        let role = definition(self.roles.as_ref(), tenant, role).await?;
        Ok(role.is_some_and(|role| role.has_power()))
    }

    /// Records that the user has the role now. Doing it again changes nothing.
    pub async fn given(
        &self,
        scope: &TenantScope,
        user_id: UserId,
        role: &RoleName,
    ) -> Result<Option<LogPosition>, AppError> {
        let appoint = OwnersCommand::Appoint { tenant_id: scope.tenant_id(), user_id, at: self.clock.now() };
        self.keep(scope, role, appoint).await
    }

    /// Records that the user is about to lose the role. Doing it again changes nothing.
    ///
    /// # Errors
    /// `conflict` where the company would be left without an owner.
    pub async fn taken(
        &self,
        scope: &TenantScope,
        user_id: UserId,
        role: &RoleName,
    ) -> Result<Option<LogPosition>, AppError> {
        let dismiss = OwnersCommand::Dismiss { tenant_id: scope.tenant_id(), user_id, at: self.clock.now() };
        self.keep(scope, role, dismiss).await
    }

    async fn keep(
        &self,
        scope: &TenantScope,
        role: &RoleName,
        command: OwnersCommand,
    ) -> Result<Option<LogPosition>, AppError> {
        if !role.is_owner() {
            return Ok(None);
        }
        let id = domain::ids::OwnersId::of(scope.tenant_id());
        Ok(self.owners.execute(&scope.context().further(), id.uuid(), command).await?.position)
    }
}

/// As whom the caller decides, by the log and not by what is in memory: a right that was taken is gone at once.
pub(super) async fn authority(roles: &dyn Commands<Role>, scope: &TenantScope) -> Result<Authority, AppError> {
    match scope.context().actor() {
        Actor::User(principal) => {
            let Membership::Tenant { role, .. } = &principal.membership else {
                // Staff got here by a right over the platform, so no role of the company holds them back.
                return Ok(Authority::Platform);
            };
            let own = definition(roles, scope.tenant_id(), role).await?.ok_or(RoleError::NotFound)?;
            Ok(Authority::Person(Box::new(own)))
        }
        // A key has neither a level nor a list of roles to manage.
        Actor::ApiKey { .. } => Err(person_needed()),
        Actor::System(_) | Actor::Support(_) => Ok(Authority::Platform),
    }
}

/// The role as it is now; that of every company where no event has said otherwise.
async fn definition(
    roles: &dyn Commands<Role>,
    tenant_id: TenantId,
    name: &RoleName,
) -> Result<Option<RoleDefinition>, AppError> {
    Ok(match roles.load(RoleId::of(tenant_id, name).uuid()).await? {
        Role::Absent => Preset::role_of_every_company(name),
        Role::Defined(_, definition) => Some(definition),
        Role::Removed(..) => None,
    })
}
