use crate::error::{Classified, ErrorKind, FieldError};

/// Why an impersonation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImpersonationError {
    /// The id is in use.
    #[error("this impersonation was opened before; open a new one")]
    AlreadyOpened,
    /// It was never opened.
    #[error("there is no such impersonation")]
    NotFound,
    /// It was ended, or its time is over.
    #[error("this impersonation is over; open a new one, with its reason")]
    Over,
    /// It would last too long, or not at all.
    #[error("an impersonation lasts from 1 to 60 minutes")]
    Length,
}

impl Classified for ImpersonationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyOpened | Self::Over => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Length => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyOpened => "impersonation.already_opened",
            Self::NotFound => "impersonation.not_found",
            Self::Over => "impersonation.over",
            Self::Length => "impersonation.length",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Length => vec![FieldError::new("minutes", "must be from 1 to 60")],
            Self::AlreadyOpened | Self::NotFound | Self::Over => Vec::new(),
        }
    }
}
