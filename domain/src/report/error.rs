use crate::error::{Classified, ErrorKind};

/// Why a report refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Another run's report has this id.
    #[error("this report was published by another run")]
    AlreadyPublished,
    /// There is none in reach.
    #[error("there is no such report")]
    NotFound,
}

impl Classified for ReportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyPublished => ErrorKind::Conflict,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyPublished => "report.already_published",
            Self::NotFound => "report.not_found",
        }
    }
}
