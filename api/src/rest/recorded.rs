//! What the answers to recorded commands have in common.

use application::AppError;
use application::ports::commands::LogPosition;
use domain::ErrorKind;

use crate::AppState;
use crate::position::{header, settled};

/// What a command was about, as it is when the read models have passed the command. None where they have not in time, where it
/// is gone or its event is parked, and where the caller may change it and not see it: the command is recorded all the same.
///
/// # Errors
/// Whatever else stands against reading it.
pub(super) async fn seen_after<T>(
    state: &AppState,
    position: Option<LogPosition>,
    read: impl Future<Output = Result<T, AppError>>,
) -> Result<Option<T>, AppError> {
    if !settled(state, position).await {
        return Ok(None);
    }
    match read.await {
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden) => Ok(None),
        seen => seen.map(Some),
    }
}

/// The headers that tell a command's place in the log, and that the request was a repeat.
pub(super) fn headers(position: Option<LogPosition>, replayed: bool) -> (Option<String>, Option<String>) {
    (position.map(header), replayed.then(|| true.to_string()))
}
