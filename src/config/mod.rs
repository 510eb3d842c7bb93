//! Configuration from the command line and the environment. `.env.example` lists the variables.

mod data_dir;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

pub use data_dir::{DataDir, DataDirError, Instance};

/// What every command that opens the database needs.
#[derive(Debug, Clone, Args)]
pub struct StorageArgs {
    /// PostgreSQL 15 or newer, as `postgres://user@host:5432/database`. Without it an embedded one is used.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = secret, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Most connections to PostgreSQL. The embedded one has a single one.
    #[arg(long, env = "SYNKRO_DATABASE_CONNECTIONS", default_value_t = 16, value_name = "N")]
    pub database_connections: u32,

    /// Folder of the embedded database and of generated keys.
    #[arg(long, env = "SYNKRO_DATA_DIR", default_value = ".synkro", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// File with the key-encryption key: 32 bytes in base64. Made in the data folder where it is not named.
    #[arg(long, env = "SYNKRO_KEK_FILE", value_name = "FILE")]
    pub kek_file: Option<PathBuf>,

    /// File with the RSA key that signs access tokens, PKCS#8 PEM. Made in the data folder where it is not named.
    #[arg(long, env = "SYNKRO_JWT_KEY_FILE", value_name = "FILE")]
    pub jwt_key_file: Option<PathBuf>,
}

impl StorageArgs {
    /// The server's address, if one is named; an empty variable names none.
    pub fn server(&self) -> Option<&SecretString> {
        self.database_url.as_ref().filter(|url| !url.expose_secret().trim().is_empty())
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
