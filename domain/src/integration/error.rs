use crate::error::{Classified, ErrorKind, FieldError};

/// Why an integration's configuration refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntegrationError {
    /// Some fields are wrong or missing.
    #[error("some fields are not right")]
    Invalid(Vec<FieldError>),
    /// The settings belong to another kind of service.
    #[error("an integration keeps its kind; these settings belong to another one")]
    KindIsFixed,
    /// Nothing was saved yet.
    #[error("this integration has not been set up yet")]
    NotConfigured,
}

impl Classified for IntegrationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::KindIsFixed => ErrorKind::Conflict,
            Self::NotConfigured => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "integration.invalid",
            Self::KindIsFixed => "integration.kind_is_fixed",
            Self::NotConfigured => "integration.not_configured",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(problems) => problems.clone(),
            Self::KindIsFixed | Self::NotConfigured => Vec::new(),
        }
    }
}
