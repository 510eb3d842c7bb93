//! `synkro projections`: what support staff do after an incident.

mod rebuild;
mod status;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use infrastructure::projections::{AggregateKey, Projection};
use infrastructure::read_models;

use super::{CliError, open};
use crate::config::StorageArgs;

#[derive(Args)]
pub(super) struct ProjectionsArgs {
    #[command(flatten)]
    storage: StorageArgs,

    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,

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
        #[arg(long, value_name = "TYPE:ID", value_parser = status::aggregate)]
        aggregate: Option<AggregateKey>,
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
    let (database, _folder) = open::readable_log(&args.storage).await?;
    let done = match args.action {
        Action::Status => status::status(&database, args.json).await,
        Action::Parked => status::parked(&database, args.json).await,
        Action::Retry { name, aggregate } => {
            status::retry_parked(&database, &name, aggregate.as_ref(), args.json).await
        }
        Action::Rebuild(rows) => rebuild::rebuild(&database, rows, args.json).await,
        Action::Verify(rows) => rebuild::verify(&database, rows, args.json).await,
        Action::DropOld { name } => rebuild::drop_old(&database, &name, args.json).await,
    };
    database.close().await;
    done
}

fn find(name: &str) -> Result<Arc<dyn Projection>, CliError> {
    let all = read_models::all();
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let missing = format!("there is no projection {name}; there are: {}", names.join(", "));
    all.iter().find(|projection| projection.name() == name).cloned().ok_or_else(|| missing.into())
}
