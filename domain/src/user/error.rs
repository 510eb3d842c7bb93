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
    /// Only who is deactivated is removed.
    #[error("this user may still sign in; deactivate the user first")]
    NotDeactivated,
    /// Staff have no role in a company, and companies' people none on the staff.
    #[error("staff have no role in a company, and a company's people have none on the staff")]
    OtherMembership,
    /// Nobody decides about the own role on the staff.
    #[error("nobody changes their own role on the staff; ask another super_admin")]
    OwnRole,
}

impl Classified for UserError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists | Self::Deactivated | Self::NotDeactivated | Self::OtherMembership => {
                ErrorKind::Conflict
            }
            Self::OwnRole => ErrorKind::Forbidden,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "user.already_exists",
            Self::NotFound => "user.not_found",
            Self::Deactivated => "user.deactivated",
            Self::NotDeactivated => "user.not_deactivated",
            Self::OtherMembership => "user.other_membership",
            Self::OwnRole => "staff.own_role",
        }
    }
}
