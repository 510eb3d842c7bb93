use crate::error::{Classified, ErrorKind};

/// Why an automation refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AutomationError {
    /// It belongs to another tenant.
    #[error("there is no such automation")]
    ForeignTenant,
}

impl Classified for AutomationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ForeignTenant => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::ForeignTenant => "automation.not_found",
        }
    }
}
