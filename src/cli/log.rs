//! `synkro log`: work on the event log itself.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::values::Reason;
use infrastructure::database::{Database, Mode};
use infrastructure::event_store::LogGenerations;
use serde_json::json;

use super::{CliError, open, print};
use crate::config::DatabaseArgs;

#[derive(Args)]
pub(super) struct EventLogArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// After a dump was restored: lets the log go on on a server that counts transactions anew.
    ///
    /// Stop every process of Synkro first. Where the log was not restored from a dump, nothing is changed.
    RepairAfterRestore {
        /// What happened, kept beside the new generation: 1 to 500 characters on one line.
        #[arg(long, value_name = "TEXT")]
        reason: Reason,
    },
}

pub(super) async fn run(args: EventLogArgs) -> Result<ExitCode, CliError> {
    let (database, _folder) = open::log(&args.database.storage).await?;
    let Action::RepairAfterRestore { reason } = args.action;
    let generations = LogGenerations::new(database.clone());
    let begun = generations.repair_after_restore(reason.as_str()).await;
    let current = generations.current().await;
    database.close().await;
    let (begun, current) = (begun?, current?);
    if args.database.json {
        print(&json!({"repaired": begun.is_some(), "generation": current}).to_string());
    } else if begun.is_some() {
        print(&format!("The log goes on with generation {current}. Synkro can be started."));
    } else {
        print(&format!("Nothing to repair: the log is whole on this server, in generation {current}."));
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to work on a log that was restored and not repaired: new events would come before old ones, unread.
pub(super) async fn require_whole(database: &Database) -> Result<(), CliError> {
    if database.mode() == Mode::Server && LogGenerations::new(database.clone()).is_restored().await? {
        return Err("the log was restored from a dump: it holds transactions that this server has not come to; \
                    with every process stopped, run `synkro log repair-after-restore --reason '…'`"
            .into());
    }
    Ok(())
}
