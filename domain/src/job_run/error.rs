use crate::error::{Classified, ErrorKind};

/// Why a run refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobRunError {
    /// The id is in use for another period.
    #[error("this run was started already for another period")]
    AlreadyStarted,
    /// It was never started.
    #[error("there is no such run")]
    NotFound,
    /// The step is not in turn, in progress elsewhere, or not due yet.
    #[error("this step is not due")]
    NotDue,
    /// The attempt was taken over or has ended.
    #[error("this attempt is no longer the one in progress")]
    Superseded,
    /// Someone stopped the run.
    #[error("this run was cancelled")]
    Cancelled,
    /// The run has ended.
    #[error("this run is over")]
    AlreadyOver,
    /// The notification was neither left uncertain nor did it fail.
    #[error("the notification of this run need not be sent again")]
    NothingToResend,
}

impl Classified for JobRunError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyStarted => "run.already_started",
            Self::NotFound => "run.not_found",
            Self::NotDue => "run.not_due",
            Self::Superseded => "run.superseded",
            Self::Cancelled => "run.cancelled",
            Self::AlreadyOver => "run.already_over",
            Self::NothingToResend => "run.nothing_to_resend",
        }
    }
}
