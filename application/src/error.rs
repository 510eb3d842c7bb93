//! Errors of the application: one shape for whoever asked, whatever went wrong below.

use std::time::Duration;

use domain::{Classified, ErrorKind, FieldError};

/// A boxed cause.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What a use case answers when it did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct AppError {
    /// Its meaning.
    pub kind: ErrorKind,
    /// A stable, machine-readable code such as `run.not_found`.
    pub code: &'static str,
    /// What happened and what to do, for the one who asked.
    pub detail: String,
    /// All bad fields.
    pub fields: Vec<FieldError>,
    /// Events of the tenant that the read model could not apply yet, where what was not found may be one of theirs.
    pub parked: u64,
    /// How long to wait before the next try, where that is known.
    pub retry_after: Option<Duration>,
    /// The cause, for the log only.
    #[source]
    pub source: Option<Source>,
}

impl AppError {
    /// An error with no cause below it.
    pub fn new(kind: ErrorKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), fields: Vec::new(), parked: 0, retry_after: None, source: None }
    }

    /// The same for something that may be missing only because so many events are parked.
    #[must_use]
    pub fn with_parked(mut self, parked: u64) -> Self {
        if parked > 0 {
            self.detail.push_str(" It may be there and not be shown yet: ");
            self.detail.push_str("events of your company are parked until they can be applied; ask again later.");
        }
        Self { parked, ..self }
    }

    /// An input with bad fields.
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        Self { fields, ..Self::new(ErrorKind::Invalid, "input.invalid", "Some fields are not right.") }
    }
}

/// The one conversion: every classified error becomes an [`AppError`] with its own kind, code and fields.
impl<E: Classified + Send + Sync + 'static> From<E> for AppError {
    fn from(error: E) -> Self {
        Self {
            kind: error.kind(),
            code: error.code(),
            detail: error.to_string(),
            fields: error.fields(),
            parked: 0,
            retry_after: error.retry_after(),
            source: Some(Box::new(error)),
        }
    }
}

/// Why a part of the system behind a port did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Out of reach for now.
    #[error("a part of the system cannot be reached right now; try again in a moment")]
    Unavailable(#[source] Source),
    /// It has as much to do as it takes on.
    #[error("too many ask for the same at this moment; try again in a few seconds")]
    Busy {
        /// How long to wait.
        retry_after: Duration,
    },
    /// It was asked to record something and ended without an answer.
    #[error(
        "a part of the system ended without an answer, so this may or may not have been recorded; look at it first, or \
         repeat it under the same idempotency key"
    )]
    Unanswered(#[source] Source),
    /// It answered with something that must not happen.
    #[error("something went wrong on our side; it has been recorded")]
    Internal(#[source] Source),
}

impl PortError {
    /// A defect, said in words.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into().into())
    }
}

impl Classified for PortError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unavailable(_) | Self::Busy { .. } | Self::Unanswered(_) => ErrorKind::Unavailable,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "system.unavailable",
            Self::Busy { .. } => "system.busy",
            Self::Unanswered(_) => "system.unanswered",
            Self::Internal(_) => "system.internal",
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => Some(*retry_after),
            Self::Unavailable(_) | Self::Unanswered(_) | Self::Internal(_) => None,
        }
    }
}

/// Why a command was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<E: std::error::Error> {
    /// The aggregate's rules refuse it, or it belongs to another tenant.
    #[error(transparent)]
    Rule(E),
    /// Others kept changing the aggregate first.
    #[error("this was changed by someone else at the same moment; look at it and try again")]
    LostRace,
    /// A unique value belongs to another aggregate.
    #[error("this {field} is taken; choose another one")]
    Taken {
        /// The field's name.
        field: String,
    },
    /// The aggregate is at another version than the one that the decision was asked for on. Nothing was recorded.
    #[error("this has changed meanwhile and is now at version {current}; look at it and decide again")]
    Changed {
        /// The sequence of the aggregate's last event.
        current: u64,
    },
    /// The idempotency key stands for another request already.
    #[error(
        "this idempotency key was used for another request; use a new key for each new request, and the same one only to \
         repeat a request unchanged"
    )]
    KeyReused,
    /// The log did not answer as it should.
    #[error(transparent)]
    Log(#[from] PortError),
}

impl<E: Classified> Classified for CommandError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rule(error) => error.kind(),
            Self::LostRace | Self::Changed { .. } | Self::KeyReused => ErrorKind::Conflict,
            Self::Taken { .. } => ErrorKind::Taken,
            Self::Log(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Rule(error) => error.code(),
            Self::LostRace => "conflict.lost_race",
            Self::Changed { .. } => "conflict.changed",
            Self::KeyReused => "idempotency.key_reused",
            Self::Taken { .. } => "value.taken",
            Self::Log(error) => error.code(),
        }
    }

    fn fields(&self) -> Vec<FieldError> {
        match self {
            Self::Rule(error) => error.fields(),
            Self::Taken { field } => vec![FieldError::new(field, "is taken; choose another one")],
            Self::LostRace | Self::Changed { .. } | Self::KeyReused | Self::Log(_) => Vec::new(),
        }
    }
}

/// An error with all its causes, for the log and the terminal. One that says the same as what it caused is left out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut text = last.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if said != last {
            text.push_str(": ");
            text.push_str(&said);
        }
        last = said;
        cause = error.source();
    }
    text
}
