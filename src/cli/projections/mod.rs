//! `synkro projections`: what support staff do after an incident.

mod rebuild;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use infrastructure::database::Database;
use infrastructure::projections::{Projection, Standing};
use infrastructure::read_models;
use serde_json::{Value, json};

use super::{CliError, open, print};
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
    /// Where each projection stands, and how far it is behind the log.
    List,
    /// Builds a projection's tables anew beside the live ones, says what differs, and exchanges them.
    Rebuild {
        /// The projection's name.
        name: String,
        /// Only say what differs; the live tables stay.
        #[arg(long)]
        dry_run: bool,
    },
    /// Builds a projection's tables anew beside the live ones and says what differs; exits with 1 where anything does.
    Verify {
        /// The projection's name.
        name: String,
    },
    /// Drops the tables that the last rebuild replaced. Until then they are kept to be looked into.
    DropOld {
        /// The projection's name.
        name: String,
    },
}

pub(super) async fn run(args: ProjectionsArgs) -> Result<ExitCode, CliError> {
    let (database, _folder) = open::database_alone(&args.storage).await?;
    let done = match args.action {
        Action::List => list(&database, args.json).await,
        Action::Rebuild { name, dry_run } => rebuild::rebuild(&database, &name, args.json, !dry_run).await,
        Action::Verify { name } => rebuild::verify(&database, &name, args.json).await,
        Action::DropOld { name } => rebuild::drop_old(&database, &name).await,
    };
    database.close().await;
    done
}

async fn list(database: &Database, as_json: bool) -> Result<ExitCode, CliError> {
    let names: Vec<&str> = read_models::all().iter().map(|projection| projection.name()).collect();
    let standings = Standing::of_all(database, &names).await?;
    if as_json {
        let rows: Vec<Value> = standings.iter().map(standing_json).collect();
        print(&serde_json::to_string(&rows)?);
    } else {
        print(&format!("{:<16} {:>20} {:>12}", "projection", "position", "behind"));
        for Standing { name, position, behind } in standings {
            print(&format!("{name:<16} {:>20} {behind:>12}", position.to_string()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn standing_json(standing: &Standing) -> Value {
    let Standing { name, position, behind } = standing;
    json!({"name": name, "position": position.to_string(), "behind": behind})
}

fn find(name: &str) -> Result<Arc<dyn Projection>, CliError> {
    let all = read_models::all();
    let names: Vec<&str> = all.iter().map(|projection| projection.name()).collect();
    let missing = format!("there is no projection {name}; there are: {}", names.join(", "));
    all.iter().find(|projection| projection.name() == name).cloned().ok_or_else(|| missing.into())
}
