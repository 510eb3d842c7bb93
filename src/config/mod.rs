//! Configuration from the command line and the environment. `.env.example` lists the variables.

mod data_dir;
mod limits;
mod mail;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use application::use_cases::SessionLife;
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

pub use data_dir::{DataDir, DataDirError, Instance};
pub use limits::{LimitArgs, ProxiesError, ProxyHeaderArg};
pub use mail::{MailArgs, MailSetupError, Switch};

/// What every command that opens the database needs. Where such a command has commands below it, it may stand behind them.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// PostgreSQL 15 or newer, as `postgres://user@host:5432/database`. Without it an embedded one is used.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true, value_parser = secret, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Most connections to PostgreSQL, half of them for reading in companies' names. The embedded one has a single one.
    #[arg(long, env = "SYNKRO_DATABASE_CONNECTIONS", global = true, default_value_t = 16, value_name = "N")]
    pub database_connections: u32,

    /// Folder of the embedded database and of generated keys.
    #[arg(long, env = "SYNKRO_DATA_DIR", global = true, default_value = ".synkro", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// File with the key-encryption keys, one a line, each 32 bytes in base64: the first wraps, all open. Made in the data
    /// folder where neither it nor `SYNKRO_KEK` is named.
    #[arg(long, env = "SYNKRO_KEK_FILE", global = true, value_name = "FILE")]
    pub kek_file: Option<PathBuf>,

    /// The same keys themselves, where no file can be mounted. Set the variable: others see what stands on a command line.
    #[arg(long, env = "SYNKRO_KEK", global = true, hide_env_values = true, value_parser = secret, value_name = "KEYS")]
    pub kek: Option<SecretString>,

    /// Folder with the RSA keys that sign access tokens, each PKCS#8 PEM and named by the time from which it signs, such as
    /// 20260601T090000Z.pem; or the file of the only one. Made in the data folder where it is not named.
    #[arg(long, env = "SYNKRO_JWT_KEY_FILE", global = true, value_name = "PATH")]
    pub jwt_key_file: Option<PathBuf>,
}

impl StorageArgs {
    /// The server's address, if one is named; an empty variable names none.
    pub fn server(&self) -> Option<&SecretString> {
        self.database_url.as_ref().filter(|url| !url.expose_secret().trim().is_empty())
    }

    /// The key-encryption keys that the variable holds; an empty one holds none.
    pub fn keks(&self) -> Option<&SecretString> {
        self.kek.as_ref().filter(|keys| !keys.expose_secret().trim().is_empty())
    }
}

/// What every command that looks into the database needs.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    #[command(flatten)]
    pub storage: StorageArgs,

    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// How long sessions last.
#[derive(Debug, Clone, Args)]
pub struct SessionArgs {
    /// Days after which a session ends that is not used.
    #[arg(long, env = "SYNKRO_SESSION_IDLE_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub session_idle_days: u16,

    /// Days after which a session ends at the latest.
    #[arg(long, env = "SYNKRO_SESSION_DAYS", default_value_t = 90, value_name = "DAYS",
          value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub session_days: u16,
}

impl SessionArgs {
    /// The same, as sessions take it.
    pub fn life(&self) -> SessionLife {
        let days = |days: u16| TimeDelta::days(days.into());
        SessionLife { idle: days(self.session_idle_days), longest: days(self.session_days) }
    }
}

/// Where the API listens.
#[derive(Debug, Clone, Args)]
pub struct HttpArgs {
    /// Address and port to listen on.
    #[arg(long, env = "SYNKRO_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub bind: SocketAddr,
}

/// How the log looks.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What is logged: levels per module, as in "info,infrastructure=debug".
    #[arg(long, env = "SYNKRO_LOG", global = true, value_name = "FILTER")]
    pub log: Option<String>,

    /// Form of the log.
    #[arg(long, env = "SYNKRO_LOG_FORMAT", global = true, default_value = "text", value_name = "FORM")]
    pub log_format: LogFormat,
}

/// Forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[expect(clippy::unnecessary_wraps, reason = "the form that clap asks of a parser")]
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}
