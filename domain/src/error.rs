//! The closed list of error meanings. Everything that can go wrong has one of these kinds.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an error means to the one who asked; the API gives each one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The input is wrong; the fields say where.
    Invalid,
    /// Nobody is signed in, or the token is not valid.
    Unauthenticated,
    /// Signed in, but without the right.
    Forbidden,
    /// There is no such thing in reach of the one who asks; another tenant's thing included.
    NotFound,
    /// The thing is in a situation that does not allow this, or changed meanwhile.
    Conflict,
    /// A value that must be unique belongs to another.
    Taken,
    /// Too many requests.
    TooMany,
    /// A provider refused or failed.
    Upstream,
    /// A part of the system is out of reach for now.
    Unavailable,
    /// A defect of ours.
    Internal,
}

impl ErrorKind {
    /// True where the same request may succeed later without any change.
    pub fn retryable(self) -> bool {
        match self {
            Self::Conflict | Self::TooMany | Self::Upstream | Self::Unavailable => true,
            Self::Invalid | Self::Unauthenticated | Self::Forbidden | Self::NotFound | Self::Taken | Self::Internal => {
                false
            }
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Taken => "taken",
            Self::TooMany => "too_many",
            Self::Upstream => "upstream",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        })
    }
}

/// One bad field of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Path of the field in the input, for example `settings.url`.
    pub field: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl FieldError {
    /// A bad field and what is expected of it.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// An error that says what it means to its reader.
pub trait Classified: std::error::Error {
    /// Its meaning.
    fn kind(&self) -> ErrorKind;

    /// A stable, machine-readable code such as `tenant.already_exists`.
    fn code(&self) -> &'static str;

    /// All bad fields, where the input is at fault.
    fn fields(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// How long to wait before the next try, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}
