use crate::error::{Classified, ErrorKind};

/// Why a session refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The id is in use.
    #[error("this session was opened already")]
    AlreadyOpened,
    /// The session was never opened.
    #[error("there is no such session")]
    NotFound,
}

impl Classified for SessionError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyOpened => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyOpened => "session.already_opened",
            Self::NotFound => "session.not_found",
        }
    }
}
