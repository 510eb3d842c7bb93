use crate::access::Grant;
use crate::error::{Classified, ErrorKind, FieldError};

/// Why a key refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// The id is in use.
    #[error("this key exists already; create another one")]
    AlreadyExists,
    /// It was never created.
    #[error("there is no such key")]
    NotFound,
    /// Some fields are not right.
    #[error("some fields of the key are not right")]
    Fields(Vec<FieldError>),
    /// It would be allowed what its creator is not.
    #[error("you do not have these rights yourself, so you cannot give them to a key: {}", list(.0))]
    BeyondCreator(Vec<Grant>),
}

fn list(scopes: &[Grant]) -> String {
    scopes.iter().map(Grant::to_string).collect::<Vec<_>>().join(", ")
}

impl Classified for ApiKeyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyExists => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
            Self::Fields(_) => ErrorKind::Invalid,
            Self::BeyondCreator(_) => ErrorKind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "api_key.already_exists",
            Self::NotFound => "api_key.not_found",
            Self::Fields(_) => "input.invalid",
            Self::BeyondCreator(_) => "api_key.beyond_creator",
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Fields(fields) => fields.clone(),
            Self::AlreadyExists | Self::NotFound | Self::BeyondCreator(_) => Vec::new(),
        }
    }
}
