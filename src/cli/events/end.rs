//! How far a look into the log goes: with all that has been recorded when it begins.

use std::time::Duration;

use application::ports::commands::LogPosition;
use infrastructure::event_store::LogQuery;

use crate::cli::{CliError, say};

/// How long a look waits for transactions that were open before the newest event was recorded.
const PATIENCE: Duration = Duration::from_secs(10);

/// The end for somebody who looks. Says so where events are missing.
pub(super) async fn known(query: &LogQuery) -> Result<LogPosition, CliError> {
    let end = query.whole_end(PATIENCE).await?;
    if !end.is_whole {
        say(&format!("The newest events are recorded but cannot be read yet: {}.", reason(query).await?));
    }
    Ok(end.up_to)
}

/// The end for somebody who takes everything away, or up to a position that may be asked for.
///
/// # Errors
/// Where events would be missing.
pub(in crate::cli) async fn whole(query: &LogQuery, up_to: Option<LogPosition>) -> Result<LogPosition, CliError> {
    if let Some(up_to) = up_to
        && up_to <= query.end().await?
    {
        return Ok(up_to);
    }
    let end = query.whole_end(PATIENCE).await?;
    match up_to {
        Some(up_to) if up_to <= end.up_to => return Ok(up_to),
        _ if end.is_whole => return Ok(end.up_to),
        _ => {}
    }
    Err(format!("nothing was exported, for the newest events would be missing: {}", reason(query).await?).into())
}

async fn reason(query: &LogQuery) -> Result<String, CliError> {
    Ok(query.held_by().await?.map_or_else(
        || {
            "another transaction is open; where the log was restored from a dump, run `synkro log repair-after-restore`"
                .to_owned()
        },
        |stall| stall.to_string(),
    ))
}
