//! `synkro keys`: the keys that sign access tokens, the companies' data keys, and the key that wraps those.

use std::path::PathBuf;
use std::process::ExitCode;

use application::ports::clock::Clock;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use infrastructure::identity::{KeyFile, KeyFiles, KeyState};
use infrastructure::system::SystemClock;
use serde_json::{Value, json};

use super::data_key::RotateTenantArgs;
use super::kek::RotateKekArgs;
use super::{CliError, data_key, kek, open, print};
use crate::config::StorageArgs;

#[derive(Args)]
pub(super) struct KeysArgs {
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
    #[command(flatten)]
    Tokens(TokenAction),
    /// Wraps every company's data key with the first of the key-encryption keys. What is cut off goes on when it is repeated.
    RotateKek(RotateKekArgs),
    /// Seals all that a company has sealed under another data key. What is cut off goes on when it is repeated.
    RotateTenant(RotateTenantArgs),
}

#[derive(Subcommand)]
enum TokenAction {
    /// Makes the next key. It is published at once and signs after two minutes; running processes take it up by themselves.
    Rotate {
        /// Let it sign at once. Tokens may be refused for some seconds by processes that have not read it yet.
        #[arg(long)]
        now: bool,

        /// Write it to another folder, where the keys themselves are mounted read-only.
        #[arg(long, value_name = "FOLDER")]
        to: Option<PathBuf>,
    },
    /// Shows the keys, and what each is for.
    List,
    /// Takes a key away.
    Retire {
        /// The key, as `list` shows it.
        key: String,

        /// Also one whose tokens are still valid: they are refused from then on, as when the key is no secret any more.
        #[arg(long)]
        now: bool,
    },
}

pub(super) async fn run(args: KeysArgs) -> Result<ExitCode, CliError> {
    let KeysArgs { storage, json, action } = args;
    let tokens = match action {
        Action::RotateKek(args) => return kek::rotate(&storage, args, json).await,
        Action::RotateTenant(args) => return data_key::rotate(&storage, args, json).await,
        Action::Tokens(action) => action,
    };
    let (files, now) = (open::token_key_files(&storage), SystemClock.now());
    let text = tokio::task::spawn_blocking(move || act(&tokens, &files, now, json)).await??;
    print(&text);
    Ok(ExitCode::SUCCESS)
}

fn act(action: &TokenAction, files: &KeyFiles, now: DateTime<Utc>, json: bool) -> Result<String, CliError> {
    Ok(match action {
        TokenAction::Rotate { now: at_once, to } => {
            let path = files.rotate(to.as_deref(), now, *at_once)?;
            if json { json!({"file": path}).to_string() } else { format!("The next key is in {}.", path.display()) }
        }
        TokenAction::List => listed(&files.list(now)?, json),
        TokenAction::Retire { key, now: at_once } => {
            let key = files.retire(key, now, *at_once)?;
            if json { shown(&key).to_string() } else { format!("The key {} is gone.", key.key_id) }
        }
    })
}

fn listed(keys: &[KeyFile], json: bool) -> String {
    if json {
        return Value::Array(keys.iter().map(shown).collect()).to_string();
    }
    let line = |key: &KeyFile| format!("{}  {:24}  {}", key.key_id, key.signs_from.to_rfc3339(), state(key.state));
    keys.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn shown(key: &KeyFile) -> Value {
    json!({"key": key.key_id, "signs_from": key.signs_from, "state": state(key.state)})
}

fn state(state: KeyState) -> String {
    match state {
        KeyState::Next => "next".into(),
        KeyState::Signing => "signing".into(),
        KeyState::Verifying { until } => format!("verifying until {}", until.to_rfc3339()),
        KeyState::Done => "done".into(),
    }
}
