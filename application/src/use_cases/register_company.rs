//! A company that registers itself, with its first owner.

use std::sync::Arc;

use domain::ErrorKind;
use domain::access::{Permission, Preset, RoleName};
use domain::ids::{TenantId, UserId};
use domain::user::{RegisterUser, User, UserCommand};
use domain::values::{DisplayName, Email, Language, Personal, Slug};
use secrecy::SecretString;

use super::RoleAssignment;
use super::invite_users::email_taken;
use super::provision_tenant::{NewTenant, TenantProvisioning};
use crate::context::{Origin, RequestContext};
use crate::error::AppError;
use crate::password::Password;
use crate::ports::clock::{Clock, Ids};
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{Credentials, EmailOwners, PasswordHash, PasswordHasher};

/// Whether companies may register themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SelfService {
    /// They may.
    On,
    /// Those who run the installation make companies.
    #[default]
    Off,
}

/// A company that registers itself.
pub struct NewCompany {
    /// Its name.
    pub company: DisplayName,
    /// Its short name, unique in the platform.
    pub slug: Slug,
    /// The language of its reports and mails.
    pub language: Language,
    /// The roles and services that it begins with.
    pub preset: Preset,
    /// The owner's name.
    pub name: DisplayName,
    /// The address that the owner signs in with.
    pub email: Email,
    /// The owner's password.
    pub password: SecretString,
}

/// A company that is ready for its owner to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisteredCompany {
    /// The company.
    pub tenant_id: TenantId,
    /// Its owner.
    pub user_id: UserId,
    /// The place of the last event of it.
    pub position: Option<LogPosition>,
}

/// Registers companies.
pub struct CompanyRegistration {
    /// Whether that is allowed.
    pub self_service: SelfService,
    /// Making tenants.
    pub provisioning: TenantProvisioning,
    /// Who has which address.
    pub addresses: Arc<dyn EmailOwners>,
    /// The log of users.
    pub accounts: Arc<dyn Commands<User>>,
    /// Keeping the list of owners.
    pub assignment: RoleAssignment,
    /// Password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of requests.
    pub ids: Arc<dyn Ids>,
}

impl CompanyRegistration {
    /// Makes the company, its roles and its owner, and opens it for use. What was cut off goes on when the same is asked for
    /// again; the password is what comes last, so nobody can sign in to half a company.
    ///
    /// # Errors
    /// `forbidden` where companies may not register themselves; `invalid` for a password that breaks the rules; `taken` for
    /// a short name or an address that is in use, the address of a registration that is complete included.
    pub async fn register(&self, origin: Origin, new: NewCompany) -> Result<RegisteredCompany, AppError> {
        if self.self_service == SelfService::Off {
            let detail =
                "Companies cannot register themselves here; ask those who run this installation for an account.";
            return Err(AppError::new(ErrorKind::Forbidden, "registration.closed", detail));
        }
        let NewCompany { company, slug, language, preset, name, email, password } = new;
        let names = [email.as_str(), company.as_str(), slug.as_str(), name.as_str()];
        let password = Password::of_field("password", password, &names)?;
        let tenant_id = TenantId::of_registration(&slug, &email);
        let user_id = UserId::of_registration(tenant_id);
        let owner = self.addresses.owner_of(&email).await?;
        // A registration that was cut off goes on. One that is complete is none, whatever became of its user since.
        let goes_on = match self.accounts.load(user_id.uuid()).await? {
            User::Absent => true,
            User::Active(_) => self.credentials.get(user_id).await?.is_none(),
            User::Deactivated(_) | User::Removed(_) => false,
        };
        if !goes_on || owner.is_some_and(|owner| owner != user_id) {
            return Err(email_taken());
        }
        let hash = self.hasher.hash(&password).await?;
        let context = RequestContext::for_system("registration", tenant_id, self.ids.next(), origin.request_id);
        let context = context.from_client(origin.client);
        let tenant = NewTenant { id: tenant_id, name: company, slug, language, preset };
        self.provisioning.provision(&context, tenant).await?;
        let (email, name, role) = (Personal::new(email), Personal::new(name), RoleName::owner());
        let owner = RegisterUser { user_id, tenant_id, email, name, role, at: self.clock.now() };
        let position = self.appoint(&context, owner, hash).await?;
        Ok(RegisteredCompany { tenant_id, user_id, position })
    }

    async fn appoint(
        &self,
        context: &RequestContext,
        owner: RegisterUser,
        hash: PasswordHash,
    ) -> Result<Option<LogPosition>, AppError> {
        let (user_id, tenant_id, role) = (owner.user_id, owner.tenant_id, owner.role.clone());
        let scope = context.authorize(Permission::UsersCreate)?;
        self.accounts.execute(context, user_id.uuid(), UserCommand::Register(owner)).await?;
        self.assignment.given(&scope, user_id, &role).await?;
        self.provisioning.activate(context, tenant_id).await?;
        self.credentials.set(user_id, hash).await?;
        let recorded = UserCommand::RecordPasswordSet { at: self.clock.now() };
        Ok(self.accounts.execute(context, user_id.uuid(), recorded).await?.position)
    }
}
