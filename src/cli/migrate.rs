//! `synkro migrate`

use std::process::ExitCode;

use clap::Args;

use super::{CliError, open, print};
use crate::config::StorageArgs;

#[derive(Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    storage: StorageArgs,
}

pub(super) async fn run(args: MigrateArgs) -> Result<ExitCode, CliError> {
    let (database, folder) = open::database_alone(&args.storage).await?;
    database.migrate().await?;
    database.close().await;
    print(&match folder {
        None => "The schema of the PostgreSQL server is up to date.".to_owned(),
        Some(folder) => format!(
            "The schema of the embedded database in {} is up to date. DATABASE_URL names no server.",
            folder.path().display()
        ),
    });
    Ok(ExitCode::SUCCESS)
}
