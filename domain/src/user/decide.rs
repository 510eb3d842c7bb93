use chrono::{DateTime, Utc};

use super::{RegisterUser, User, UserCommand, UserDetails, UserError, UserEvent};
use crate::access::RoleName;
use crate::values::{DisplayName, Email, Personal};

impl User {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match command {
            UserCommand::Register(user) => self.register(user),
            UserCommand::RecordPasswordSet { at } => self.record_password_set(at),
            UserCommand::RecordPasswordChanged { at } => self.record_password_changed(at),
            UserCommand::RecordPasswordReset { at } => self.record_password_reset(at),
            UserCommand::ChangeEmail { email, at } => self.change_email(email, at),
            UserCommand::ChangeRole { role, at } => self.change_role(role, at),
            UserCommand::Rename { name, at } => self.rename(name, at),
            UserCommand::Deactivate { at } => self.deactivate(at),
            UserCommand::Reactivate { at } => self.reactivate(at),
            UserCommand::RecordLockout { failures, until, at } => self.record_lockout(failures, until, at),
        }
    }

    fn register(&self, new: RegisterUser) -> Result<Vec<UserEvent>, UserError> {
        let RegisterUser { user_id, tenant_id, email, name, role, at } = new;
        match self {
            Self::Absent => Ok(vec![UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at }]),
            Self::Active(known)
                if (known.user_id, known.tenant_id, &known.email, &known.name, &known.role)
                    == (user_id, tenant_id, &email, &name, &role) =>
            {
                Ok(Vec::new())
            }
            Self::Active(_) | Self::Deactivated(_) => Err(UserError::AlreadyExists),
        }
    }

    fn record_password_set(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let UserDetails { user_id, tenant_id, .. } = *self.active()?;
        Ok(vec![UserEvent::UserPasswordSet { user_id, tenant_id, at }])
    }

    fn record_password_changed(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let UserDetails { user_id, tenant_id, .. } = *self.active()?;
        Ok(vec![UserEvent::UserPasswordChanged { user_id, tenant_id, at }])
    }

    fn record_password_reset(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let UserDetails { user_id, tenant_id, .. } = *self.active()?;
        Ok(vec![UserEvent::UserPasswordReset { user_id, tenant_id, at }])
    }

    fn change_email(&self, email: Personal<Email>, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        if details.email == email {
            return Ok(Vec::new());
        }
        let UserDetails { user_id, tenant_id, email: former, .. } = details.clone();
        Ok(vec![UserEvent::UserEmailChanged { user_id, tenant_id, former, email, at }])
    }

    fn change_role(&self, role: RoleName, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        if details.role == role {
            return Ok(Vec::new());
        }
        let &UserDetails { user_id, tenant_id, token_version, .. } = details;
        Ok(vec![UserEvent::UserRoleChanged { user_id, tenant_id, role, token_version: token_version + 1, at }])
    }

    fn rename(&self, name: Personal<DisplayName>, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        let details = self.active()?;
        if details.name == name {
            return Ok(Vec::new());
        }
        Ok(vec![UserEvent::UserRenamed { user_id: details.user_id, tenant_id: details.tenant_id, name, at }])
    }

    fn deactivate(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent => Err(UserError::NotFound),
            Self::Deactivated(_) => Ok(Vec::new()),
            Self::Active(details) => Ok(vec![UserEvent::UserDeactivated {
                user_id: details.user_id,
                tenant_id: details.tenant_id,
                email: details.email.clone(),
                token_version: details.token_version + 1,
                at,
            }]),
        }
    }

    fn reactivate(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent => Err(UserError::NotFound),
            Self::Active(_) => Ok(Vec::new()),
            Self::Deactivated(details) => {
                let UserDetails { user_id, tenant_id, ref email, .. } = *details;
                Ok(vec![UserEvent::UserReactivated { user_id, tenant_id, email: email.clone(), at }])
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
            Self::Absent => Err(UserError::NotFound),
            Self::Deactivated(_) => Ok(Vec::new()),
            &Self::Active(UserDetails { user_id, tenant_id, .. }) => {
                Ok(vec![UserEvent::UserLockedOut { user_id, tenant_id, failures, until, at }])
            }
        }
    }

    fn active(&self) -> Result<&UserDetails, UserError> {
        match self {
            Self::Absent => Err(UserError::NotFound),
            Self::Active(details) => Ok(details),
            Self::Deactivated(_) => Err(UserError::Deactivated),
        }
    }
}
