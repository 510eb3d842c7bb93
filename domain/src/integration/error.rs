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
    /// The settings are at another version than the one that the change was made from.
    #[error("this has changed meanwhile and is now at version {current}; look at it and decide again")]
    Changed {
        /// The newest version.
        current: u32,
    },
    /// Another integration is authorized by now, or none.
    #[error("the client id was changed meanwhile; connect again in Settings")]
    AppChanged,
}

impl Classified for IntegrationError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::KindIsFixed | Self::Changed { .. } | Self::AppChanged => ErrorKind::Conflict,
            Self::NotConfigured => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "integration.invalid",
            Self::KindIsFixed => "integration.kind_is_fixed",
            Self::NotConfigured => "integration.not_configured",
            Self::Changed { .. } => "conflict.changed",
            Self::AppChanged => "integration.app_changed",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Invalid(problems) => problems.clone(),
            Self::KindIsFixed | Self::NotConfigured | Self::Changed { .. } | Self::AppChanged => Vec::new(),
        }
    }
}
