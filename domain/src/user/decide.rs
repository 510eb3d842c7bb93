use chrono::{DateTime, Utc};

use super::{Membership, RegisterStaff, RegisterUser, User, UserCommand, UserDetails, UserError, UserEvent};
use crate::access::{RoleName, StaffRole};
use crate::ids::{TenantId, UserId};
use crate::values::{DisplayName, Email, Personal};

impl User {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match command {
            UserCommand::Register(user) => self.register(user),
            UserCommand::RegisterStaff(user) => self.register_staff(user),
            UserCommand::RecordPasswordSet { at } => self.record_password_set(at),
            UserCommand::RecordPasswordChanged { at } => self.record_password_changed(at),
            UserCommand::RecordPasswordReset { at } => self.record_password_reset(at),
            UserCommand::ChangeEmail { email, at } => self.change_email(email, at),
            UserCommand::ChangeRole { role, at } => self.change_role(role, at),
            UserCommand::ChangeStaffRole { role, by, at } => self.change_staff_role(role, by, at),
            UserCommand::Rename { name, at } => self.rename(name, at),
            UserCommand::Deactivate { at } => self.deactivate(at),
            UserCommand::Reactivate { at } => self.reactivate(at),
            UserCommand::Remove { at } => self.remove(at),
            UserCommand::RecordLockout { failures, until, at } => self.record_lockout(failures, until, at),
        }
    }

    fn register(&self, new: RegisterUser) -> Result<Vec<UserEvent>, UserError> {
        let RegisterUser { user_id, tenant_id, email, name, role, at } = new;
        let registered = UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at };
        self.register_as(registered)
    }

    fn register_staff(&self, new: RegisterStaff) -> Result<Vec<UserEvent>, UserError> {
        let RegisterStaff { user_id, email, name, role, at } = new;
        self.register_as(UserEvent::StaffRegistered { user_id, email, name, role, at })
    }

    /// The same user again changes nothing, whenever it comes.
    fn register_as(&self, registered: UserEvent) -> Result<Vec<UserEvent>, UserError> {
        match (self, Self::Absent.evolve(registered.clone())) {
            (Self::Absent, _) => Ok(vec![registered]),
            (Self::Active(known), Self::Active(wanted)) if known.is_still(&wanted) => Ok(Vec::new()),
            _ => Err(UserError::AlreadyExists),
        }
    }

    fn record_password_set(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let (user_id, tenant_id) = self.active()?.whose();
        Ok(vec![UserEvent::UserPasswordSet { user_id, tenant_id, at }])
    }

    fn record_password_changed(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let (user_id, tenant_id) = self.active()?.whose();
        Ok(vec![UserEvent::UserPasswordChanged { user_id, tenant_id, at }])
    }

    fn record_password_reset(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let (user_id, tenant_id) = self.active()?.whose();
        Ok(vec![UserEvent::UserPasswordReset { user_id, tenant_id, at }])
    }

    fn change_email(&self, email: Personal<Email>, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        if details.email == email {
            return Ok(Vec::new());
        }
        let ((user_id, tenant_id), former) = (details.whose(), details.email.clone());
        Ok(vec![UserEvent::UserEmailChanged { user_id, tenant_id, former, email, at }])
    }

    fn change_role(&self, role: RoleName, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        let Membership::Tenant { tenant_id, role: former } = &details.membership else {
            return Err(UserError::OtherMembership);
        };
        if *former == role {
            return Ok(Vec::new());
        }
        let (user_id, tenant_id, token_version) = (details.user_id, *tenant_id, details.token_version + 1);
        Ok(vec![UserEvent::UserRoleChanged { user_id, tenant_id, role, token_version, at }])
    }

    fn change_staff_role(
        &self,
        role: StaffRole,
        by: Option<UserId>,
        at: DateTime<Utc>,
    ) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        let Membership::Platform { role: former } = details.membership else {
            return Err(UserError::OtherMembership);
        };
        if by == Some(details.user_id) {
            return Err(UserError::OwnRole);
        }
        if former == role {
            return Ok(Vec::new());
        }
        let (user_id, token_version) = (details.user_id, details.token_version + 1);
        Ok(vec![UserEvent::StaffRoleChanged { user_id, role, token_version, at }])
    }

    fn rename(&self, name: Personal<DisplayName>, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        if details.name == name {
            return Ok(Vec::new());
        }
        let (user_id, tenant_id) = details.whose();
        Ok(vec![UserEvent::UserRenamed { user_id, tenant_id, name, at }])
    }

    fn deactivate(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent | Self::Removed(_) => Err(UserError::NotFound),
            Self::Deactivated(_) => Ok(Vec::new()),
            Self::Active(details) => Ok(vec![UserEvent::UserDeactivated {
                user_id: details.user_id,
                tenant_id: details.tenant(),
                email: details.email.clone(),
                token_version: details.token_version + 1,
                at,
            }]),
        }
    }

    fn reactivate(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent | Self::Removed(_) => Err(UserError::NotFound),
            Self::Active(_) => Ok(Vec::new()),
            Self::Deactivated(details) => {
                let ((user_id, tenant_id), email) = (details.whose(), details.email.clone());
                Ok(vec![UserEvent::UserReactivated { user_id, tenant_id, email, at }])
            }
        }
    }

    /// The e-mail address was given back and the tokens ended with the deactivation before.
    fn remove(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent => Err(UserError::NotFound),
            Self::Active(_) => Err(UserError::NotDeactivated),
            Self::Removed(_) => Ok(Vec::new()),
            Self::Deactivated(details) => {
                let (user_id, tenant_id) = details.whose();
                Ok(vec![UserEvent::UserRemoved { user_id, tenant_id, at }])
            }
        }
    }

    /// Of a user who may not sign in at all nothing is recorded: guessing leads nowhere.
    fn record_lockout(
        &self,
        failures: u32,
        until: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent | Self::Removed(_) => Err(UserError::NotFound),
            Self::Deactivated(_) => Ok(Vec::new()),
            Self::Active(details) => {
                let (user_id, tenant_id) = details.whose();
                Ok(vec![UserEvent::UserLockedOut { user_id, tenant_id, failures, until, at }])
            }
        }
    }

    fn active(&self) -> Result<&UserDetails, UserError> {
        match self {
            Self::Absent | Self::Removed(_) => Err(UserError::NotFound),
            Self::Active(details) => Ok(details),
            Self::Deactivated(_) => Err(UserError::Deactivated),
        }
    }
}

impl UserDetails {
    /// Whether nothing but times and counts tells the two apart.
    fn is_still(&self, registered: &Self) -> bool {
        let Self { token_version, registered_at, .. } = *registered;
        Self { token_version, registered_at, ..self.clone() } == *registered
    }

    fn whose(&self) -> (UserId, Option<TenantId>) {
        (self.user_id, self.tenant())
    }
}
