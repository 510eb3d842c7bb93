//! Those of the platform's super admins who can act: they have a password and are not deactivated.
//!
//! The last one whose second factor was reset at the terminal stays on the list without a password, for whoever has the link
//! that was shown.
//!
//! One stream holds them all, because only one stream can refuse that two leave at once of whom each believes that the other
//! stays.
//!
//! | invariant | where |
//! |---|---|
//! | the last one stays | `dismiss` |
//! | appointing or dismissing twice changes nothing | `appoint`, `dismiss` |
//!
//! As with [`owners`](crate::owners), whoever takes the role or the access from a person dismisses the person here first, and
//! whoever gives it appoints the person here afterwards. Cut off between the two, this list is too short; so one who can act and
//! is not on it is appointed before being dismissed, and the list refuses too much and never too little. Somebody who was invited
//! and has no password yet is not on it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Classified, ErrorKind};
use crate::event_sourced::EventSourced;
use crate::ids::{TenantId, UserId};

/// What can be asked of the list of super admins.
#[derive(Debug, Clone, Copy)]
pub enum SuperAdminsCommand {
    /// A person can act as one from now on.
    Appoint {
        /// The person.
        user_id: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
    /// A person can not any more.
    Dismiss {
        /// The person.
        user_id: UserId,
        /// Now.
        at: DateTime<Utc>,
    },
}

/// What happened to the list of super admins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum SuperAdminsEvent {
    SuperAdminAppointed { user_id: UserId, at: DateTime<Utc> },
    SuperAdminDismissed { user_id: UserId, at: DateTime<Utc> },
}

domain_events!(SuperAdminsEvent { SuperAdminAppointed = "1", SuperAdminDismissed = "1" });

/// Why the list of super admins refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuperAdminsError {
    /// Nobody would be left.
    #[error("the platform cannot be without a super_admin who can sign in; appoint another one first")]
    Last,
    /// There has never been one.
    #[error("the platform has no super_admin yet")]
    NotFound,
}

impl Classified for SuperAdminsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Last => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Last => "super_admins.last",
            Self::NotFound => "super_admins.not_found",
        }
    }
}

aggregate!(SuperAdmins, "super_admins", SuperAdminsCommand, SuperAdminsEvent, SuperAdminsError);

/// Who the super admins are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SuperAdmins {
    /// Nobody has been appointed yet.
    #[default]
    Absent,
    /// These.
    Present(BTreeSet<UserId>),
}

impl SuperAdmins {
    /// The events that a command causes in this situation.
    pub fn decide(&self, command: SuperAdminsCommand) -> Result<Vec<SuperAdminsEvent>, SuperAdminsError> {
        match command {
            SuperAdminsCommand::Appoint { user_id, at } => Ok(self.appoint(user_id, at)),
            SuperAdminsCommand::Dismiss { user_id, at } => self.dismiss(user_id, at),
        }
    }

    fn appoint(&self, user_id: UserId, at: DateTime<Utc>) -> Vec<SuperAdminsEvent> {
        match self {
            Self::Present(admins) if admins.contains(&user_id) => Vec::new(),
            Self::Absent | Self::Present(_) => vec![SuperAdminsEvent::SuperAdminAppointed { user_id, at }],
        }
    }

    fn dismiss(&self, user_id: UserId, at: DateTime<Utc>) -> Result<Vec<SuperAdminsEvent>, SuperAdminsError> {
        match self {
            Self::Present(admins) if admins.contains(&user_id) && admins.len() == 1 => Err(SuperAdminsError::Last),
            Self::Present(admins) if admins.contains(&user_id) => {
                Ok(vec![SuperAdminsEvent::SuperAdminDismissed { user_id, at }])
            }
            Self::Absent | Self::Present(_) => Ok(Vec::new()),
        }
    }

    fn evolve(self, event: SuperAdminsEvent) -> Self {
        let mut admins = match self {
            Self::Absent => BTreeSet::new(),
            Self::Present(admins) => admins,
        };
        match event {
            SuperAdminsEvent::SuperAdminAppointed { user_id, .. } => admins.insert(user_id),
            SuperAdminsEvent::SuperAdminDismissed { user_id, .. } => admins.remove(&user_id),
        };
        Self::Present(admins)
    }
}

impl EventSourced for SuperAdmins {
    fn exists(&self) -> bool {
        matches!(self, Self::Present(_))
    }

    fn absent() -> SuperAdminsError {
        SuperAdminsError::NotFound
    }

    fn tenant(&self) -> Option<TenantId> {
        None
    }
}
