//! Who asks, for which tenant, and by which right. First argument of every use case.

use domain::ErrorKind;
use domain::access::{Permission, Role};
use domain::ids::{TenantId, UserId};
use domain::values::DisplayName;
use uuid::Uuid;

use crate::error::AppError;
use crate::idempotency::Receipt;

/// A signed-in user, as the access token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user_id: UserId,
    /// The user's tenant.
    pub tenant_id: TenantId,
    /// What the user is there.
    pub role: Role,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    User(Principal),
    /// A part of Synkro itself, by its frozen name.
    System(&'static str),
    /// Someone who runs the installation and works at its terminal, by the name of the account there.
    Support(DisplayName),
}

impl Actor {
    /// Who it is, as the log and receipts say it: the user's id, or the name of the part or of the operator.
    pub fn id(&self) -> String {
        match self {
            Self::User(principal) => principal.user_id.to_string(),
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

/// The circumstances of one request; they become the metadata of every event that it causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    actor: Actor,
    tenant: Option<TenantId>,
    request_id: Uuid,
    correlation_id: Uuid,
    causation_id: Option<Uuid>,
    right: Option<&'static str>,
    client: Client,
    receipt: Option<Receipt>,
}

impl RequestContext {
    /// A request of a signed-in user; with a receipt where repeats of it shall get the first outcome.
    pub fn for_request(principal: Principal, request_id: Uuid, client: Client, receipt: Option<Receipt>) -> Self {
        Self {
            actor: Actor::User(principal),
            tenant: Some(principal.tenant_id),
            request_id,
            correlation_id: request_id,
            causation_id: None,
            right: None,
            client,
            receipt,
        }
    }

    /// Work of a part of Synkro itself for one tenant. What belongs together shares the correlation id.
    pub fn for_system(part: &'static str, tenant: TenantId, request_id: Uuid, correlation_id: Uuid) -> Self {
        Self {
            actor: Actor::System(part),
            tenant: Some(tenant),
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
    /// `forbidden`, naming the right that is missing.
    pub fn authorize(&self, permission: Permission) -> Result<TenantScope, AppError> {
        let (tenant_id, right) = match &self.actor {
            Actor::User(principal) if principal.role.allows(permission) => {
                (principal.tenant_id, Some(permission.name()))
            }
            Actor::System(_) => (self.tenant.ok_or_else(missing_tenant)?, self.right),
            Actor::Support(_) => {
                let detail = "Support staff act through the commands of the terminal, not in a company's name.";
                return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
            }
            Actor::User(_) => {
                let detail =
                    format!("Your role does not have the right {}; ask an owner of your company.", permission.name());
                return Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail));
            }
        };
        Ok(TenantScope { tenant_id, context: Self { right, ..self.clone() } })
    }

    /// Passes for the system's own work only.
    ///
    /// # Errors
    /// `forbidden` for every user.
    pub fn require_system(&self) -> Result<(), AppError> {
        match &self.actor {
            Actor::System(_) => Ok(()),
            Actor::User(_) | Actor::Support(_) => {
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
            Actor::User(_) | Actor::System(_) => {
                let detail = "Only those who run the installation may do this, at its terminal.";
                Err(AppError::new(ErrorKind::Forbidden, "access.forbidden", detail))
            }
        }
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
            Actor::User(principal) => vec![
                ("actor_kind", "user".to_owned()),
                ("actor_id", self.actor.id()),
                ("actor_role", principal.role.name().to_owned()),
            ],
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

fn missing_tenant() -> AppError {
    AppError::new(ErrorKind::Internal, "context.no_tenant", "This work needs a tenant.")
}

/// A tenant that the actor may act in, by a right that was checked. Only [`RequestContext::authorize`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantScope {
    tenant_id: TenantId,
    context: RequestContext,
}

impl TenantScope {
    /// The tenant.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// The request, with the right that allowed it.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(role: Role) -> RequestContext {
        let principal = Principal {
            user_id: UserId::from(Uuid::from_u128(2)),
            tenant_id: TenantId::from(Uuid::from_u128(1)),
            role,
        };
        RequestContext::for_request(principal, Uuid::from_u128(3), Client::default(), None)
    }

    #[test]
    fn a_right_that_is_missing_is_named() {
        let error = request(Role::User).authorize(Permission::RunsStart).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden);
        assert!(error.detail.contains("runs:start"), "{}", error.detail);
    }

    #[test]
    fn support_staff_have_no_right_of_a_company_and_nobody_else_is_support() {
        let tenant = TenantId::from(Uuid::from_u128(1));
        let support = RequestContext::for_support("ops-anna".parse().unwrap(), Uuid::from_u128(3));
        assert_eq!(support.authorize(Permission::RunsStart).unwrap_err().kind, ErrorKind::Forbidden);
        assert_eq!(support.require_system().unwrap_err().kind, ErrorKind::Forbidden);
        let metadata = support.metadata();
        for entry in [("actor_kind", "support"), ("actor_id", "ops-anna"), ("right", "support")] {
            assert!(metadata.contains(&(entry.0, entry.1.to_owned())), "{metadata:?}");
        }
        assert_eq!(support.require_support(Some(tenant)).unwrap().tenant(), Some(tenant));
        let system = RequestContext::for_system("tests", tenant, Uuid::from_u128(3), Uuid::from_u128(4));
        for other in [request(Role::Owner), system] {
            assert_eq!(other.require_support(None).unwrap_err().kind, ErrorKind::Forbidden);
        }
    }

    #[test]
    fn the_right_that_allowed_it_is_recorded() {
        let scope = request(Role::Owner).authorize(Permission::RunsStart).unwrap();
        assert!(scope.context().metadata().contains(&("right", "runs:start".to_owned())));
    }
}
