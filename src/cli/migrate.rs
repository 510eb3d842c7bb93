//! `synkro migrate`

use std::process::ExitCode;

use clap::Args;

use super::{CliError, open, print};
use crate::config::{DataDir, StorageArgs};

#[derive(Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    storage: StorageArgs,
}

pub(super) async fn run(args: MigrateArgs) -> Result<ExitCode, CliError> {
    let folder = DataDir::open(&args.storage.data_dir)?;
    let database = open::database(&args.storage, &folder).await?;
    database.migrate().await?;
    database.close().await;
    print("The database schema is up to date.");
    Ok(ExitCode::SUCCESS)
}
