use crate::access::CatalogueEntry;
use crate::error::{Classified, ErrorKind};

use super::MOST_ENTRIES;

/// Why a catalogue refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceCatalogueError {
    /// The entry is not there.
    #[error("there is no such entry in the catalogue")]
    NotFound,
    /// There is one of this name.
    #[error("the {kind} {0} is there already; change that one, or choose another name", kind = .0.kind().name())]
    AlreadyExists(CatalogueEntry),
    /// Synkro's own operations use it.
    #[error("the {kind} {0} is built in and cannot be changed or removed", kind = .0.kind().name())]
    BuiltIn(CatalogueEntry),
    /// A permission is made of it.
    #[error("the permission {0} is made of this; remove that first")]
    InUse(CatalogueEntry),
    /// A permission's service or action is not there.
    #[error("there is no {kind} {0}; add it first", kind = .0.kind().name())]
    Missing(CatalogueEntry),
    /// There are too many.
    #[error("a catalogue holds {MOST_ENTRIES} entries at most; remove what is not used any more")]
    Full,
}

impl Classified for ServiceCatalogueError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::AlreadyExists(_) | Self::BuiltIn(_) | Self::InUse(_) | Self::Missing(_) | Self::Full => {
                ErrorKind::Conflict
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "catalogue.not_found",
            Self::AlreadyExists(_) => "catalogue.already_exists",
            Self::BuiltIn(_) => "catalogue.built_in",
            Self::InUse(_) => "catalogue.in_use",
            Self::Missing(_) => "catalogue.missing",
            Self::Full => "catalogue.full",
        }
    }
}
