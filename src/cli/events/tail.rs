//! The newest events, and those to come.

use std::time::Duration;

use clap::Args;
use infrastructure::database::{Database, Mode};
use infrastructure::event_store::{Direction, EventFilter, LogQuery, Span};
use infrastructure::signals::{self, Signal};

use super::filter::{Filter, FilterArgs};
use super::view::Table;
use super::{Out, end};
use crate::cli::input::Input;
use crate::cli::{CliError, say, serve};

/// How often the log is looked at without a hint.
const POLL: Duration = Duration::from_millis(500);

/// Events that are held in memory at once.
const PAGE: i64 = 500;

/// The most of the newest events.
const MOST: i64 = 10_000;

#[derive(Args)]
pub(super) struct TailArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// So many of the newest events first.
    #[arg(short = 'n', long = "lines", default_value = "10", value_name = "N")]
    lines: String,
    /// Go on as events come. That is what it does unless told otherwise.
    #[arg(long, overrides_with = "no_follow")]
    follow: bool,
    /// End after the newest events.
    #[arg(long, overrides_with = "follow")]
    no_follow: bool,
}

pub(super) struct Request {
    filter: Filter,
    lines: i64,
    follow: bool,
}

/// The log to follow.
#[derive(Clone, Copy)]
pub(super) struct Log<'a> {
    pub(super) database: &'a Database,
    pub(super) query: &'a LogQuery,
    /// Whether a connection can be spared for hints.
    pub(super) listens: bool,
}

impl TailArgs {
    pub(super) fn parse(self, input: &mut Input) -> Request {
        Request {
            filter: self.filter.parse(input),
            lines: if self.lines == "0" { 0 } else { input.number("--lines", &self.lines, MOST) },
            follow: self.follow || !self.no_follow,
        }
    }
}

pub(super) async fn run(log: Log<'_>, request: Request, json: bool, out: &mut Out) -> Result<(), CliError> {
    let Log { database, query, listens } = log;
    let Request { filter, lines, follow } = request;
    let (filter, span) = filter.resolve(query, end::known(query).await?).await?;
    let told = follow.then(serve::told_to_stop);
    let mut table = Table::new(json);
    let mut newest = query.page(&filter, span, Direction::Backward, lines).await?;
    newest.reverse();
    table.header(out)?;
    table.events(query, &newest, out).await?;
    out.flush()?;
    let Some(told) = told else { return Ok(()) };
    if database.mode() == Mode::Embedded {
        say("While this command holds the embedded database nobody else can write, so nothing will come.");
        return Ok(());
    }
    let log = Signal::default();
    let hints = async {
        // The listener keeps a connection for itself.
        if listens { signals::listen(database.clone(), log.clone()).await } else { std::future::pending().await }
    };
    tokio::select! {
        () = told => Ok(()),
        () = hints => Ok(()),
        followed = go_on(query, (&filter, span), &log, &mut table, out) => followed,
    }
}

/// Shows what comes behind the horizon after the span, for as long as somebody reads it.
async fn go_on(
    query: &LogQuery,
    (filter, shown): (&EventFilter, Span),
    log: &Signal,
    table: &mut Table,
    out: &mut Out,
) -> Result<(), CliError> {
    let mut hints = log.subscribe();
    let mut after = shown.up_to.max(shown.after);
    loop {
        let up_to = query.end().await?;
        while after < up_to {
            let events = query.page(filter, Span { after, up_to }, Direction::Forward, PAGE).await?;
            table.events(query, &events, out).await?;
            out.flush()?;
            let full = i64::try_from(events.len())? == PAGE;
            after = events.last().filter(|_| full).map_or(up_to, |last| last.position);
        }
        hints.wait(POLL).await;
    }
}
