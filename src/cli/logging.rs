//! The log, on standard error.

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogArgs, LogFormat};

/// How much libraries may say at most, whatever is asked for. With more than this they show what they carry: sea-orm the values
/// that it binds, hashes of passwords among them, and those that speak HTTP headers with tokens and addresses with keys.
const CAPS: [(&str, LevelFilter); 8] = [
    ("sea_orm", LevelFilter::DEBUG),
    ("sqlx", LevelFilter::DEBUG),
    ("h2", LevelFilter::INFO),
    ("hyper", LevelFilter::INFO),
    ("lettre", LevelFilter::INFO),
    ("redis", LevelFilter::INFO),
    ("reqwest", LevelFilter::INFO),
    ("rustls", LevelFilter::INFO),
];

/// Starts the log. A quiet command speaks for itself and logs only what goes wrong.
pub(super) fn start(args: &LogArgs, quiet: bool) -> Result<(), String> {
    let default = if quiet { "error" } else { "info,sqlx=warn,sea_orm_migration=warn" };
    let filter = filter(args.log.as_deref().unwrap_or(default)).map_err(|error| {
        format!("--log (SYNKRO_LOG) is not a filter such as \"info,infrastructure=debug\": {error}")
    })?;
    let log = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => log.with(lines).init(),
        LogFormat::Json => log.with(lines.json()).init(),
    }
    Ok(())
}

/// What is logged where this is asked for: that, without what could show a secret.
///
/// # Errors
/// Where the text is no filter.
pub fn filter<S: Subscriber>(asked: &str) -> Result<impl Layer<S>, ParseError> {
    let caps = Targets::new().with_default(LevelFilter::TRACE).with_targets(CAPS);
    Ok(EnvFilter::try_new(asked)?.and_then(caps))
}
