//! Opening what a command works on: the data folder, the database and the keys.

use std::sync::Arc;

use application::ports::clock::Clock;
use infrastructure::crypto::{Keks, used_keks};
use infrastructure::database::{Database, DatabaseError};
use infrastructure::identity::{KeyFiles, RsaTokens};
use infrastructure::system::SystemClock;
use secrecy::ExposeSecret;

use super::CliError;
use super::log::require_whole;
use crate::config::{DataDir, StorageArgs};

/// The folder of the token keys in the data folder.
const TOKEN_KEYS: &str = "keys/jwt";

/// The file of the key-encryption keys in the data folder.
const KEKS: &str = "keys/kek";

/// The key-encryption keys and the token keys: from the named files, else from the data folder.
pub(super) async fn keys(
    args: &StorageArgs,
    folder: &DataDir,
    database: &Database,
) -> Result<(Arc<Keks>, RsaTokens), CliError> {
    // First, because it may refuse, and then nothing shall have been made.
    let keks = keks(args, database).await?;
    let tokens = match &args.jwt_key_file {
        Some(_) => RsaTokens::load(token_key_files(args))?,
        None => RsaTokens::load_or_create(&folder.file(TOKEN_KEYS), SystemClock.now())?,
    };
    Ok((keks, tokens))
}

/// The key-encryption keys alone, beside running processes; made where the database needs none yet.
///
/// # Errors
/// Where they cannot be read, and where they open nothing of what the database holds: what came under them now would be lost to
/// all other processes.
pub(super) async fn keks(args: &StorageArgs, database: &Database) -> Result<Arc<Keks>, CliError> {
    let file = args.data_dir.join(KEKS);
    let named = named_keks(args)?;
    let used = used_keks(database).await?;
    let in_use: Vec<&str> = used.iter().map(|(kek_id, _)| kek_id.as_str()).collect();
    let keks = match named {
        Some(keks) => keks,
        None if used.is_empty() || file.exists() => Arc::new(Keks::load_or_create(&file)?),
        None => return Err(not_here("there is no key-encryption key here", &in_use)),
    };
    if !used.is_empty() && !in_use.iter().any(|name| keks.holds(name)) {
        return Err(not_here("the key-encryption keys that were given are others", &in_use));
    }
    Ok(keks)
}

fn not_here(what: &str, used: &[&str]) -> CliError {
    let used = used.join(", ");
    format!(
        "the secrets in the database are wrapped by {used}, and {what}; give the right ones with SYNKRO_KEK or \
         SYNKRO_KEK_FILE, or name the data folder that has them. Nothing was changed"
    )
    .into()
}

/// The key-encryption keys that are there.
pub(super) fn existing_keks(args: &StorageArgs) -> Result<Arc<Keks>, CliError> {
    match named_keks(args)? {
        Some(keks) => Ok(keks),
        None => Ok(Arc::new(Keks::load(&args.data_dir.join(KEKS))?)),
    }
}

fn named_keks(args: &StorageArgs) -> Result<Option<Arc<Keks>>, CliError> {
    Ok(match (&args.kek_file, args.keks()) {
        (Some(_), Some(_)) => {
            return Err(
                "the key-encryption keys are in SYNKRO_KEK and in SYNKRO_KEK_FILE; set one of them alone".into()
            );
        }
        (Some(file), None) => Some(Arc::new(Keks::load(file)?)),
        (None, Some(keys)) => Some(Arc::new(Keks::parse(keys.expose_secret())?)),
        (None, None) => None,
    })
}

/// Where the token keys are. They are worked on beside running processes, so the data folder is not taken.
pub(super) fn token_key_files(args: &StorageArgs) -> KeyFiles {
    KeyFiles::at(args.jwt_key_file.as_deref().unwrap_or(&args.data_dir.join(TOKEN_KEYS)))
}

/// The server's database, or the embedded one in the data folder.
pub(super) async fn database(args: &StorageArgs, folder: &DataDir) -> Result<Database, CliError> {
    match args.server() {
        Some(url) => Ok(Database::connect(url.expose_secret(), args.database_connections).await?),
        None => Ok(embedded(folder).await?),
    }
}

/// The database alone. A server's may be worked on beside running processes; the embedded one belongs to whoever holds
/// its folder.
pub(super) async fn database_alone(args: &StorageArgs) -> Result<(Database, Option<DataDir>), CliError> {
    if let Some(url) = args.server() {
        return Ok((Database::connect(url.expose_secret(), args.database_connections).await?, None));
    }
    let folder = DataDir::open(&args.data_dir)?;
    Ok((embedded(&folder).await?, Some(folder)))
}

/// The database with a log of this version.
pub(super) async fn log(args: &StorageArgs) -> Result<(Database, Option<DataDir>), CliError> {
    let (database, folder) = database_alone(args).await?;
    if !database.is_current().await? {
        database.close().await;
        return Err(match folder {
            None => "the database schema is not up to date; run `synkro migrate` first".into(),
            Some(_) => {
                "the data folder holds no log of this version; start `synkro serve` or `synkro demo` first".into()
            }
        });
    }
    Ok((database, folder))
}

/// The same, with a log that can be read: one that was restored from a dump must have been repaired.
pub(super) async fn readable_log(args: &StorageArgs) -> Result<(Database, Option<DataDir>), CliError> {
    let (database, folder) = log(args).await?;
    if let Err(error) = require_whole(&database).await {
        database.close().await;
        return Err(error);
    }
    Ok((database, folder))
}

#[cfg(feature = "embedded")]
async fn embedded(folder: &DataDir) -> Result<Database, DatabaseError> {
    Database::embedded(&folder.file("postgres")).await
}

#[cfg(not(feature = "embedded"))]
async fn embedded(folder: &DataDir) -> Result<Database, DatabaseError> {
    let source = "this program was built without the embedded database; set DATABASE_URL".into();
    std::future::ready(Err(DatabaseError::Embedded { folder: folder.path().display().to_string(), source })).await
}
