//! `synkro events`: the log as auditors and support staff read it.

pub(super) mod end;
pub(super) mod export;
mod filter;
mod list;
mod show;
mod tail;
mod view;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use application::AppError;
use clap::{Args, Subcommand};
use infrastructure::event_store::LogQuery;

use super::input::Input;
use super::{CliError, open};
use crate::config::DatabaseArgs;

#[derive(Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Events in their order, the oldest first; without their contents.
    List(list::ListArgs),
    /// Everything of one event, or of all that happened to one aggregate.
    Show(show::ShowArgs),
    /// The newest events, and those to come.
    Tail(tail::TailArgs),
    /// Writes events to a file, whole and in order.
    Export(export::ExportArgs),
}

pub(super) async fn run(args: EventsArgs) -> Result<ExitCode, CliError> {
    // Before the database is opened: bad input needs none to be told.
    let DatabaseArgs { storage, json } = args.database;
    let request = Request::parse(args.action)?;
    let (database, _folder) = open::readable_log(&storage).await?;
    let query = LogQuery::new(database.clone());
    let mut out = Out::default();
    let done = match request {
        Request::List(request) => list::run(&query, request, json, &mut out).await,
        Request::Show(request) => show::run(&query, request, json, &mut out).await,
        Request::Tail(request) => {
            let log = tail::Log { database: &database, query: &query, listens: storage.database_connections > 1 };
            tail::run(log, request, json, &mut out).await
        }
        Request::Export(request) => export::run(&query, request, json).await,
    };
    database.close().await;
    match done.and_then(|()| Ok(out.flush()?)) {
        // Whoever reads this has had enough, as `head` has.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        done => done.map(|()| ExitCode::SUCCESS),
    }
}

/// What is asked for, with every value understood.
enum Request {
    List(list::Request),
    Show(show::Request),
    Tail(tail::Request),
    Export(export::Request),
}

impl Request {
    fn parse(action: Action) -> Result<Self, AppError> {
        let mut input = Input::default();
        let request = match action {
            Action::List(args) => Self::List(args.parse(&mut input)),
            Action::Show(args) => Self::Show(args.parse(&mut input)),
            Action::Tail(args) => Self::Tail(args.parse(&mut input)),
            Action::Export(args) => Self::Export(args.parse(&mut input)),
        };
        input.finish(request)
    }
}

fn is_closed_pipe(error: &CliError) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The result on its way out, in larger pieces than lines.
struct Out(BufWriter<io::Stdout>);

impl Default for Out {
    fn default() -> Self {
        Self(BufWriter::new(io::stdout()))
    }
}

impl Out {
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.0, "{text}")
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
