use crate::error::{Classified, ErrorKind};

/// Why an invitation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// The id is in use.
    #[error("this invitation exists already")]
    AlreadyExists,
    /// It was never made.
    #[error("there is no such invitation")]
    NotFound,
    /// Somebody took it up.
    #[error("this invitation was accepted; change the user instead")]
    Accepted,
    /// Somebody took it back.
    #[error("this invitation was revoked; ask for a new one")]
    Revoked,
    /// The company has not sent it.
    #[error("this invitation was only proposed; ask the company to send it")]
    NotSent,
    /// Its time is over.
    #[error("the time of this invitation is over; ask for it to be sent again")]
    Expired,
}

impl Classified for InvitationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists | Self::Accepted | Self::Revoked | Self::NotSent | Self::Expired => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "invitation.already_exists",
            Self::NotFound => "invitation.not_found",
            Self::Accepted => "invitation.accepted",
            Self::Revoked => "invitation.revoked",
            Self::NotSent => "invitation.not_sent",
            Self::Expired => "invitation.expired",
        }
    }
}
