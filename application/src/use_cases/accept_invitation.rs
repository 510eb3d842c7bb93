//! Joining a company by an invitation.

use std::sync::Arc;

use domain::access::Permission;
use domain::ids::UserId;
use domain::invitation::{Invitation, InvitationCommand, InvitationDetails};
use domain::user::{RegisterUser, User, UserCommand};
use domain::values::{DisplayName, Personal};
use secrecy::SecretString;

use super::RoleAssignment;
use super::invite_users::email_taken;
use super::mailed_links::{MailedLinks, refused};
use crate::context::{Origin, RequestContext};
use crate::error::AppError;
use crate::password::Password;
use crate::ports::commands::{Commands, LogPosition};
use crate::ports::identity::{Credentials, EmailOwners, PasswordHash, PasswordHasher};
use crate::ports::links::LinkKind;

/// Lets invited people in.
pub struct AcceptInvitation {
    /// The log of invitations.
    pub invitations: Arc<dyn Commands<Invitation>>,
    /// The log of users.
    pub accounts: Arc<dyn Commands<User>>,
    /// Who has which address.
    pub addresses: Arc<dyn EmailOwners>,
    /// Keeping the list of owners.
    pub assignment: RoleAssignment,
    /// Password hashes.
    pub credentials: Arc<dyn Credentials>,
    /// Hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Links.
    pub mailed: Arc<MailedLinks>,
}

/// A user who has joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The user.
    pub user_id: UserId,
    /// The place of the last event of it.
    pub position: Option<LogPosition>,
}

impl AcceptInvitation {
    /// Registers the invited person under this name, with this password. What was cut off is completed when it is asked for
    /// again: the link works until all of it is done.
    ///
    /// # Errors
    /// `conflict` for a link that does not work, or an invitation that was revoked; `invalid` for a password that breaks the
    /// rules; `taken` where the address has an account by now.
    pub async fn accept(
        &self,
        origin: Origin,
        token: &SecretString,
        name: DisplayName,
        password: SecretString,
    ) -> Result<Joined, AppError> {
        let (links, now) = (&self.mailed.links, self.mailed.clock.now());
        let link = links.find(LinkKind::Invitation, token, now).await?.ok_or_else(refused)?;
        let invitation = self.invitations.load(link.subject).await?;
        let details = invitation.details().ok_or_else(refused)?;
        let company = self.mailed.open_company(details.tenant_id).await?.ok_or_else(refused)?;
        let names = [details.email.reveal().as_str(), company.name.as_str(), name.as_str()];
        let password = Password::of_field("password", password, &names)?;
        let user_id = UserId::of_invitation(details.invitation_id);
        if self.addresses.owner_of(details.email.reveal()).await?.is_some_and(|owner| owner != user_id) {
            return Err(email_taken());
        }
        let hash = self.hasher.hash(&password).await?;
        let ids = &self.mailed.ids;
        let context = RequestContext::for_system("invitation", details.tenant_id, ids.next(), origin.request_id);
        let position = self.join(&context.from_client(origin.client), details, name, hash).await?;
        links.use_up(LinkKind::Invitation, token, Vec::new(), self.mailed.clock.now()).await?;
        Ok(Joined { user_id, position })
    }

    async fn join(
        &self,
        context: &RequestContext,
        invitation: &InvitationDetails,
        name: DisplayName,
        hash: PasswordHash,
    ) -> Result<Option<LogPosition>, AppError> {
        let InvitationDetails { invitation_id, tenant_id, email, role, .. } = invitation.clone();
        let (scope, user_id) = (context.authorize(Permission::UsersCreate)?, UserId::of_invitation(invitation_id));
        let at = self.mailed.clock.now();
        self.invitations.execute(context, invitation_id.uuid(), InvitationCommand::Accept { at }).await?;
        if let User::Absent = self.accounts.load(user_id.uuid()).await? {
            let (name, role) = (Personal::new(name), role.clone());
            let register = UserCommand::Register(RegisterUser { user_id, tenant_id, email, name, role, at });
            self.accounts.execute(context, user_id.uuid(), register).await?;
        }
        let appointed = self.assignment.given(&scope, user_id, &role).await?;
        self.credentials.set(user_id, hash).await?;
        let recorded = UserCommand::RecordPasswordSet { at: self.mailed.clock.now() };
        Ok(self.accounts.execute(context, user_id.uuid(), recorded).await?.position.max(appointed))
    }
}
