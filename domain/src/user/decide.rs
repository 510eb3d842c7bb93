use chrono::{DateTime, Utc};

use super::{RegisterUser, User, UserCommand, UserDetails, UserError, UserEvent};

impl User {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match command {
            UserCommand::Register(user) => self.register(user),
            UserCommand::RecordPasswordSet { at } => self.record_password_set(at),
        }
    }

    fn register(&self, new: RegisterUser) -> Result<Vec<UserEvent>, UserError> {
        let RegisterUser { user_id, tenant_id, email, name, role, at } = new;
        if let Self::Active(details) = self {
            let same = UserDetails { user_id, tenant_id, email, name, role };
            return if *details == same { Ok(Vec::new()) } else { Err(UserError::AlreadyExists) };
        }
        Ok(vec![UserEvent::UserRegistered { user_id, tenant_id, email, name, role, at }])
    }

    fn record_password_set(&self, at: DateTime<Utc>) -> Result<Vec<UserEvent>, UserError> {
        match self {
            Self::Absent => Err(UserError::NotFound),
            Self::Active(details) => {
                Ok(vec![UserEvent::UserPasswordSet { user_id: details.user_id, tenant_id: details.tenant_id, at }])
            }
        }
    }
}
