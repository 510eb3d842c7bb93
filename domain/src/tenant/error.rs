use crate::error::{Classified, ErrorKind};

/// Why a tenant refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// The id is in use with other details.
    #[error("this tenant exists already with other details")]
    AlreadyExists,
    /// It was never provisioned.
    #[error("there is no such tenant")]
    NotFound,
}

impl Classified for TenantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "tenant.already_exists",
            Self::NotFound => "tenant.not_found",
        }
    }
}
