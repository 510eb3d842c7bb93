use crate::access::{AuthorityError, RoleName};
use crate::error::{Classified, ErrorKind};

/// Why a role refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// There is one of this name.
    #[error("there is a role {0} already; change that one, or choose another name")]
    AlreadyExists(RoleName),
    /// It was never defined, or was removed.
    #[error("there is no such role")]
    NotFound,
    /// The owner's role is the same in every company.
    #[error("the role owner cannot be changed or removed; define another role instead")]
    OwnerFixed,
    /// The one who asks may not decide this.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Classified for RoleError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists(_) | Self::OwnerFixed => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Authority(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists(_) => "role.already_exists",
            Self::NotFound => "role.not_found",
            Self::OwnerFixed => "role.owner_fixed",
            Self::Authority(error) => error.code(),
        }
    }
}
