//! Events in their order, page by page.

use application::ports::commands::LogPosition;
use clap::Args;
use infrastructure::event_store::{Direction, LogQuery};

use super::filter::{Filter, FilterArgs};
use super::view::Table;
use super::{Out, end};
use crate::cli::input::Input;
use crate::cli::{CliError, say};

/// The longest page.
const MOST: i64 = 10_000;

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many events.
    #[arg(long, default_value = "50", value_name = "N")]
    limit: String,
    /// The newest first, from the end of the log.
    #[arg(long)]
    reverse: bool,
    /// Only before this position.
    #[arg(long, value_name = "POSITION")]
    before: Option<String>,
}

pub(super) struct Request {
    filter: Filter,
    limit: i64,
    before: Option<LogPosition>,
    direction: Direction,
}

impl ListArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        Request {
            filter: self.filter.parse(input),
            limit: input.number("--limit", &self.limit, MOST),
            before: input.read("--before", self.before.as_deref(), str::parse::<LogPosition>),
            direction: if self.reverse { Direction::Backward } else { Direction::Forward },
        }
    }
}

pub(super) async fn run(query: &LogQuery, request: Request, json: bool, out: &mut Out) -> Result<(), CliError> {
    let Request { filter, limit, before, direction } = request;
    let (filter, mut span) = filter.resolve(query, end::known(query).await?).await?;
    if let Some(before) = before {
        span.up_to = span.up_to.min(LogPosition { position: before.position.saturating_sub(1), ..before });
    }
    // One more than is shown tells whether there are more.
    let mut events = query.page(&filter, span, direction, limit + 1).await?;
    let shown = usize::try_from(limit)?;
    let more = events.len() > shown;
    events.truncate(shown);
    let mut table = Table::new(json);
    table.header(out)?;
    table.events(query, &events, out).await?;
    out.flush()?;
    match (events.last(), direction) {
        (None, _) => say("No event matches."),
        (Some(last), Direction::Forward) if more => say(&format!("More: the same with --after {}", last.position)),
        (Some(last), Direction::Backward) if more => say(&format!("More: the same with --before {}", last.position)),
        _ => {}
    }
    Ok(())
}
