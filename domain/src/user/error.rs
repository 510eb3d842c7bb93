use crate::error::{Classified, ErrorKind};

/// Why a user refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// The id is in use with other details.
    #[error("this user exists already with other details")]
    AlreadyExists,
    /// The user was never registered.
    #[error("there is no such user")]
    NotFound,
    /// The user may not sign in, and is not changed.
    #[error("this user is deactivated; reactivate the user first")]
    Deactivated,
}

impl Classified for UserError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists | Self::Deactivated => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "user.already_exists",
            Self::NotFound => "user.not_found",
            Self::Deactivated => "user.deactivated",
        }
    }
}
