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
    /// It has not been activated.
    #[error("this company is still being set up; activate it first")]
    NotActive,
    /// It is being offboarded.
    #[error("this company is being offboarded; resume it first")]
    Offboarding,
    /// It is not being offboarded.
    #[error("this company is not being offboarded; begin that first")]
    NotOffboarding,
    /// Its data has not been handed out.
    #[error("the data of this company has not been exported since its offboarding began; export it first")]
    NotExported,
    /// Its users may not come in.
    #[error("the account of this company is suspended or being closed; ask the support of Synkro")]
    KeptOut,
    /// Its end is final.
    #[error("this company is closed for good")]
    Closed,
}

impl Classified for TenantError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::KeptOut => ErrorKind::Forbidden,
            Self::AlreadyExists
            | Self::NotActive
            | Self::Offboarding
            | Self::NotOffboarding
            | Self::NotExported
            | Self::Closed => ErrorKind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "tenant.already_exists",
            Self::NotFound => "tenant.not_found",
            Self::NotActive => "tenant.not_active",
            Self::Offboarding => "tenant.offboarding",
            Self::NotOffboarding => "tenant.not_offboarding",
            Self::NotExported => "tenant.not_exported",
            Self::KeptOut => "tenant.kept_out",
            Self::Closed => "tenant.closed",
        }
    }
}
