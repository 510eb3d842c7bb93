//! `synkro projections`: what support staff do after an incident.

mod rebuild;
mod status;

use std::process::ExitCode;
use std::sync::Arc;

use application::AppError;
use clap::{Args, Subcommand};
use infrastructure::event_store::AggregateKey;
use infrastructure::projections::Projection;
use infrastructure::read_models;

use super::input::{Input, one_aggregate};
use super::{CliError, open};
use crate::config::DatabaseArgs;

#[derive(Args)]
pub(super) struct ProjectionsArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Where each projection stands, how far it is behind the log, how many events are parked, and who feeds it.
    #[command(visible_alias = "list")]
    Status,
    /// The events that could not be applied, why, and those that wait behind them.
    Parked,
    /// Replays a projection's parked events; exits with 1 where some stay parked.
    Retry {
        /// The projection's name.
        name: String,
        /// Only the events of this aggregate.
        #[arg(long, value_name = "TYPE:ID")]
        aggregate: Option<String>,
    },
    /// Builds a projection's rows anew beside the live ones, says what differs, and exchanges them.
    Rebuild(rebuild::RebuildArgs),
    /// Builds a projection's rows anew beside the live ones and says what differs; exits with 1 where anything does.
    Verify(rebuild::VerifyArgs),
    /// Drops the tables that the last rebuild replaced. Until then they are kept to be looked into.
    DropOld {
        /// The projection's name.
        name: String,
    },
}

pub(super) async fn run(args: ProjectionsArgs) -> Result<ExitCode, CliError> {
    let DatabaseArgs { storage, json } = args.database;
    // Before the database is opened: bad input needs none to be told.
    let request = Request::parse(args.action)?;
    let (database, _folder) = open::readable_log(&storage).await?;
    let done = match request {
        Request::Status => status::status(&database, json).await,
        Request::Parked => status::parked(&database, json).await,
        Request::Retry(name, aggregate) => status::retry_parked(&database, &name, aggregate.as_ref(), json).await,
        Request::Rebuild(rows) => rebuild::rebuild(&database, rows, json).await,
        Request::Verify(rows) => rebuild::verify(&database, rows, json).await,
        Request::DropOld(name) => rebuild::drop_old(&database, &name, json).await,
    };
    database.close().await;
    done
}

/// What is asked for, with every value understood.
enum Request {
    Status,
    Parked,
    Retry(String, Option<AggregateKey>),
    Rebuild(rebuild::Request),
    Verify(rebuild::Request),
    DropOld(String),
}

impl Request {
    fn parse(action: Action) -> Result<Self, AppError> {
        let mut input = Input::default();
        let request = match action {
            Action::Status => Self::Status,
            Action::Parked => Self::Parked,
            Action::Retry { name, aggregate } => {
                let aggregate = input.read("--aggregate", aggregate.as_deref(), one_aggregate);
                Self::Retry(name, aggregate)
            }
            Action::Rebuild(args) => Self::Rebuild(args.parse(&mut input)),
            Action::Verify(args) => Self::Verify(args.parse(&mut input)),
            Action::DropOld { name } => Self::DropOld(name),
        };
        input.finish(request)
    }
}

fn find(name: &str) -> Result<Arc<dyn Projection>, CliError> {
    let all = read_models::all();
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let missing = format!("there is no projection {name}; there are: {}", names.join(", "));
    all.iter().find(|projection| projection.name() == name).cloned().ok_or_else(|| missing.into())
}
