//! The log, on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::{LogArgs, LogFormat};

/// Starts the log. A quiet command speaks for itself and logs only what goes wrong.
pub(super) fn start(args: &LogArgs, quiet: bool) -> Result<(), String> {
    let default = if quiet { "error" } else { "info,sqlx=warn,sea_orm_migration=warn" };
    let filter = args.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        format!("--log (SYNKRO_LOG) is not a filter such as \"info,infrastructure=debug\": {error}")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
