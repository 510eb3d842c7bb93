//! Who asks, for which tenant, and by which right. First argument of every use case.

mod acting;
mod own_account;
mod platform;
mod proof;
mod returned;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::{Permission, ReachSet, Rights};
use domain::api_key::ApiKeyDetails;
use domain::ids::{ApiKeyId, TenantId, UserId};
use domain::values::DisplayName;
use uuid::Uuid;

pub use self::acting::ActingStaff;
pub use self::own_account::OwnAccount;
pub use self::platform::PlatformScope;
pub(crate) use self::platform::company_needed;
pub use self::proof::{Authenticated, AuthenticatedKey, Principal};
use crate::error::AppError;
use crate::idempotency::Receipt;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(Principal),
    /// A program of a company.
    ApiKey {
        /// The key that it showed.
        api_key_id: ApiKeyId,
        /// The company.
        tenant_id: TenantId,
    },
    /// A part of Synkro itself, by its frozen name.
    System(&'static str),
    /// Someone who runs the installation and works at its terminal, by the name of the account there.
    Support(DisplayName),
}

impl Actor {
    /// Who it is, as the log and receipts say it: the id of the user, of the staff who acts in the user's name, or of the key, or
    /// the name of the part or of the operator.
    pub fn id(&self) -> String {
        match self {
            Self::User(principal) => principal.hands().to_string(),
            Self::ApiKey { api_key_id, .. } => api_key_id.to_string(),
            Self::System(part) => (*part).to_owned(),
            Self::Support(operator) => operator.to_string(),
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub ip: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
}

/// A request of someone who is not signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The request.
    pub request_id: Uuid,
    /// Where it came from.
    pub client: Client,
}

/// The circumstances of one request; they become the metadata of every event that it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    actor: Actor,
    tenant: Option<TenantId>,
    /// What a user or a key may, as it was when the request came. The system's own work and support staff are not asked.
    rights: Arc<Rights>,
    request_id: Uuid,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    right: Option<&'static str>,
    client: Client,
    receipt: Option<Receipt>,
}

impl RequestContext {
    /// A request of a signed-in user with the rights of the user's role in a company, which staff never have; with a receipt
    /// where repeats of it shall get the first outcome.
    #[expect(clippy::needless_pass_by_value, reason = "the proof is given up for the context that is made of it")]
    pub fn for_request(
        user: Authenticated,
        rights: Arc<Rights>,
        request_id: Uuid,
        client: Client,
        receipt: Option<Receipt>,
    ) -> Self {
        let principal = user.principal().clone();
        let tenant = principal.membership.tenant();
        let rights = if tenant.is_some() { rights } else { Arc::default() };
        Self::asked_by(Actor::User(principal), tenant, rights, request_id).with(client, receipt)
    }

    /// A request of a program with the rights that its key's scopes give, whatever has become of the key's creator.
    pub fn for_api_key(
        key: &AuthenticatedKey,
        rights: Arc<Rights>,
        request_id: Uuid,
        client: Client,
        receipt: Option<Receipt>,
    ) -> Self {
        let ApiKeyDetails { api_key_id, tenant_id, .. } = *key.key();
        Self::asked_by(Actor::ApiKey { api_key_id, tenant_id }, Some(tenant_id), rights, request_id)
            .with(client, receipt)
    }

    fn asked_by(actor: Actor, tenant: Option<TenantId>, rights: Arc<Rights>, request_id: Uuid) -> Self {
        Self {
            actor,
            tenant,
            rights,
            request_id,
            correlation_id: request_id,
            causation_id: None,
            right: None,
            client: Client::default(),
            receipt: None,
        }
    }

    fn with(self, client: Client, receipt: Option<Receipt>) -> Self {
        Self { client, receipt, ..self }
    }

    /// Work of a part of Synkro itself for one tenant, or for the platform's own staff. What belongs together shares the
    /// correlation id.
    pub fn for_system(
        part: &'static str,
        tenant: impl Into<Option<TenantId>>,
        request_id: Uuid,
        correlation_id: Uuid,
    ) -> Self {
        Self {
            actor: Actor::System(part),
            tenant: tenant.into(),
            rights: Arc::default(),
            request_id,
            correlation_id,
            causation_id: None,
            right: Some("system"),
            client: Client::default(),
            receipt: None,
        }
    }

    /// Work of support staff at the terminal. The terminal has no sign-in: whoever may use it may do this, and the name is
    /// what that person's account says. What it is about is said where it is allowed, by [`Self::require_support`].
    pub fn for_support(operator: DisplayName, request_id: Uuid) -> Self {
        Self {
            actor: Actor::Support(operator),
            tenant: None,
            rights: Arc::default(),
            request_id,
            correlation_id: request_id,
            causation_id: None,
            right: Some("support"),
            client: Client::default(),
            receipt: None,
        }
    }

    /// The same, as a consequence of something.
    #[must_use]
    pub fn caused_by(self, causation_id: Uuid) -> Self {
        Self { causation_id: Some(causation_id), ..self }
    }

    /// The tenant's scope, where the actor has the right.
    ///
    /// # Errors
    /// `forbidden`, naming the right that is missing, and for staff in a user's name where nobody may use it for another.
    pub fn authorize(&self, permission: Permission) -> Result<TenantScope, AppError> {
        if permission.needs_own_hands() {
            self.require_own_hands()?;
        }
        self.authorize_to_see(permission)
    }

    /// The same for what changes nothing: staff in a user's name see all that the user does.
    ///
    /// # Errors
    /// `forbidden`, naming the right that is missing.
    pub fn authorize_to_see(&self, permission: Permission) -> Result<TenantScope, AppError> {
        let (tenant_id, right, reach) = match &self.actor {
            Actor::User(principal) if self.rights.allows(permission) => {
                // What staff were lent goes by the right that lent it.
                let lent = self.right.filter(|_| principal.membership.tenant().is_none());
                let tenant = self.tenant.ok_or_else(missing_tenant)?;
                (tenant, lent.or(Some(permission.name())), self.rights.reach(permission))
            }
            Actor::ApiKey { tenant_id, .. } if self.rights.allows(permission) => {
                (*tenant_id, Some(permission.name()), self.rights.reach(permission))
            }
            Actor::System(_) => (self.tenant.ok_or_else(missing_tenant)?, self.right, ReachSet::ALL),
            Actor::ApiKey { .. } => {
                let detail =
                    format!("This API key does not have the right {}; create one that has it.", permission.name());
                return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
            }
            Actor::Support(_) => {
                let detail = "Support staff act through the commands of the terminal, not in a company's name.";
                return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
            }
            Actor::User(principal) if principal.membership.tenant().is_none() => return Err(company_needed()),
            Actor::User(_) => {
                let detail =
                    format!("Your role does not have the right {}; ask an owner of your company.", permission.name());
                return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
            }
        };
        Ok(TenantScope { tenant_id, reach, context: Self { right, ..self.clone() } })
    }

    /// Who is signed in, for what a program may not do, whatever its key's scopes.
    ///
    /// # Errors
    /// `forbidden` for whoever is no user.
    pub fn require_user(&self) -> Result<UserId, AppError> {
        match &self.actor {
            Actor::User(principal) => Ok(principal.user_id),
            Actor::ApiKey { .. } | Actor::System(_) | Actor::Support(_) => Err(person_needed()),
        }
    }

    /// The same work, asked for from there.
    #[must_use]
    pub fn from_client(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// Passes for the system's own work only.
    ///
    /// # Errors
    /// `forbidden` for every user.
    pub fn require_system(&self) -> Result<(), AppError> {
        match &self.actor {
            Actor::System(_) => Ok(()),
            Actor::User(_) | Actor::ApiKey { .. } | Actor::Support(_) => {
                let detail = "Only the platform itself may do this.";
                Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail))
            }
        }
    }

    /// Passes for support staff at the terminal only. The context is that of the work on one tenant's things, or, without
    /// one, on the platform's.
    ///
    /// # Errors
    /// `forbidden` for everybody else.
    pub fn require_support(&self, tenant: Option<TenantId>) -> Result<Self, AppError> {
        match &self.actor {
            Actor::Support(_) => Ok(Self { tenant, ..self.clone() }),
            Actor::User(_) | Actor::ApiKey { .. } | Actor::System(_) => {
                let detail = "Only those who run the installation may do this, at its terminal.";
                Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail))
            }
        }
    }

    /// The same for a further decision of the request: its receipt went with the first.
    #[must_use]
    pub fn further(&self) -> Self {
        Self { receipt: None, ..self.clone() }
    }

    /// What the user or the key may; nothing for the system's own work and support staff, which are not asked for rights.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Who does it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// For which tenant; none for the platform's own work.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// What makes the request recognizable when it is repeated. It goes with the one decision that the request
    /// records.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The circumstances as the log keeps them: flat, with frozen names.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let actor = match &self.actor {
            Actor::User(principal) => principal.metadata(),
            Actor::ApiKey { .. } => vec![("actor_kind", "integration".to_owned()), ("actor_id", self.actor.id())],
            Actor::System(_) => vec![("actor_kind", "system".to_owned()), ("actor_id", self.actor.id())],
            Actor::Support(_) => vec![("actor_kind", "support".to_owned()), ("actor_id", self.actor.id())],
        };
        let optional = [
            ("causation_id", self.causation_id.map(|id| id.to_string())),
            ("right", self.right.map(str::to_owned)),
            ("ip", self.client.ip.clone()),
            ("user_agent", self.client.user_agent.clone()),
        ];
        let ids = [("request_id", self.request_id.to_string()), ("correlation_id", self.correlation_id.to_string())];
        let present = optional.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        actor.into_iter().chain(ids).chain(present).collect()
    }
}

/// The refusal of what only someone who signed in may do.
pub(crate) fn person_needed() -> AppError {
    let detail = "Only someone who signed in may do this, not an API key; ask a person of your company to do it.";
    AppError::new(ErrorKind::Forbidden, "access.person_needed", detail)
}

fn missing_tenant() -> AppError {
    AppError::new(ErrorKind::Internal, "context.no_tenant", "This work needs a tenant.")
}

/// A tenant that the actor may act in, by a right that was checked. Only [`RequestContext::authorize`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant_id: TenantId,
    reach: ReachSet,
    context: RequestContext,
}

impl TenantScope {
    /// The tenant.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// How much the actor is shown by the right.
    pub fn reach(&self) -> ReachSet {
        self.reach
    }

    /// The one whose things alone may be listed; none where things of others are shown too, in whatever part.
    pub fn only_of(&self) -> Option<UserId> {
        match &self.context.actor {
            Actor::User(principal) if self.reach.only_own() => Some(principal.user_id),
            // Nothing belongs to a key, so by this reach it is shown nothing.
            Actor::ApiKey { api_key_id, .. } if self.reach.only_own() => Some(UserId::from(api_key_id.uuid())),
            Actor::User(_) | Actor::ApiKey { .. } | Actor::System(_) | Actor::Support(_) => None,
        }
    }

    /// The request, with the right that allowed it.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }
}
