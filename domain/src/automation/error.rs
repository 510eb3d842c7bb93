use crate::error::{Classified, ErrorKind};

/// Why an automation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutomationError {
    /// There is none in reach.
    #[error("there is no such automation")]
    NotFound,
}

impl Classified for AutomationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "automation.not_found",
        }
    }
}
