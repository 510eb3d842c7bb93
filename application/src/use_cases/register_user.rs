//! Making a user known and setting the first password.

use std::sync::Arc;

use domain::access::{Permission, RoleName};
use domain::ids::{TenantId, UserId};
use domain::tenant::Tenant;
use domain::user::{RegisterUser, User, UserCommand, UserError};
use domain::values::{DisplayName, Email, Personal};
use secrecy::SecretString;

use super::RoleAssignment;
use crate::context::RequestContext;
use crate::error::AppError;
use crate::password::Password;
use crate::ports::clock::Clock;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{Credentials, PasswordHasher};

/// A user to register.
pub struct NewUser {
    /// The user's id.
    pub id: UserId,
    /// The tenant that the user belongs to.
    pub tenant_id: TenantId,
    /// The address to sign in with, unique in the platform.
    pub email: Email,
    /// The user's name.
    pub name: DisplayName,
    /// What the user is in the tenant.
    pub role: RoleName,
    /// The first password.
    pub password: SecretString,
}

/// Registers users.
pub struct UserRegistration {
    /// The log.
    pub users: Arc<dyn Commands<User>>,
    /// The companies, whose names are no passwords.
    pub tenants: Arc<dyn Commands<Tenant>>,
    /// Who may be given which role.
    pub assignment: RoleAssignment,
    /// Where password hashes are kept.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl UserRegistration {
    /// Registers the user and sets the password. A user who has a password keeps it, so that doing it again changes
    /// nothing.
    ///
    /// # Errors
    /// `forbidden` without the right, and for a role that the caller does not manage; `not_found` for another company;
    /// `invalid` for a password that breaks the rules, `taken` where the e-mail belongs to another user.
    pub async fn register(&self, context: &RequestContext, new: NewUser) -> Result<Option<LogPosition>, AppError> {
        let NewUser { id, tenant_id, email, name, role, password } = new;
        let scope = context.authorize(Permission::UsersCreate)?;
        if scope.tenant_id() != tenant_id {
            return Err(UserError::NotFound.into());
        }
        self.assignment.require(&scope, &role).await?;
        let tenant = self.tenants.load(tenant_id.uuid()).await?;
        let company = tenant.details().map_or("", |details| details.name.as_str());
        let password = Password::of_field("password", password, &[email.as_str(), company])?;
        let (email, name) = (Personal::new(email), Personal::new(name));
        let register = RegisterUser { user_id: id, tenant_id, email, name, role: role.clone(), at: self.clock.now() };
        let registered = self.users.execute(scope.context(), id.uuid(), UserCommand::Register(register)).await?;
        let appointed = self.assignment.given(&scope, id, &role).await?;
        let registered = registered.position.max(appointed);
        if self.credentials.get(id).await?.is_some() {
            return Ok(registered);
        }
        self.credentials.set(id, self.hasher.hash(&password).await?).await?;
        let recorded = UserCommand::RecordPasswordSet { at: self.clock.now() };
        // The receipt of the request went with the registration.
        let recorded = self.users.execute(&scope.context().further(), id.uuid(), recorded).await?;
        Ok(recorded.position.max(registered))
    }
}
