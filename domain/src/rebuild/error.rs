use crate::error::{Classified, ErrorKind, FieldError};

/// Why a rebuild refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// The id is in use.
    #[error("this rebuild has been started already")]
    AlreadyStarted,
    /// It has ended in another way.
    #[error("this rebuild has ended already")]
    AlreadyFinished,
    /// Tables are to be exchanged, and nobody said why.
    #[error("a rebuild needs a reason; it is recorded")]
    ReasonMissing,
    /// It was started to see what differs.
    #[error("a verification exchanges nothing")]
    OnlyVerifies,
    /// It was never started.
    #[error("there is no such rebuild")]
    NotFound,
}

impl Classified for RebuildError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyStarted | Self::AlreadyFinished | Self::OnlyVerifies => ErrorKind::Conflict,
            Self::ReasonMissing => ErrorKind::Invalid,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyStarted => "rebuild.already_started",
            Self::AlreadyFinished => "rebuild.already_finished",
            Self::ReasonMissing => "rebuild.reason_missing",
            Self::OnlyVerifies => "rebuild.only_verifies",
            Self::NotFound => "rebuild.not_found",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::ReasonMissing => vec![FieldError::new("reason", "must say why the rows are built anew")],
            _ => Vec::new(),
        }
    }
}
