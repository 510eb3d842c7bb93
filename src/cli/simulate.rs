//! `synkro simulate`: the stand-ins of the providers alone, for work by hand.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use simulator::{Accounts, CONTROL_USAGE, DEMO_DIALOGUES, DialogueSet, Limits, SimulatorOptions, Simulators, Size};

use super::demo::services::tables;
use super::serve::told_to_stop;
use super::{CliError, print, say};
use crate::config::DataDir;

/// The accounts, in the folder of the state.
const FILE: &str = "accounts.json";

#[derive(Args)]
pub(super) struct SimulateArgs {
    /// Dialogues that the services hold, one JSON object a line (simulator/data/README.md describes the format).
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Makes a company with so many deals of the dialogues, each with a contact and a chat.
    #[arg(long, value_name = "COUNT", requires = "messages")]
    deals: Option<usize>,

    /// How many messages its chats hold together.
    #[arg(long, value_name = "COUNT", requires = "deals")]
    messages: Option<usize>,

    /// Another number makes another company of the same size.
    #[arg(long, default_value_t = 1, value_name = "NUMBER", requires = "deals")]
    seed: u64,

    /// Folder of what the services are told, their ports and their accounts, which the next start goes on with.
    #[arg(long, default_value = ".synkro/simulate", value_name = "FOLDER")]
    state_dir: PathBuf,

    /// Port of the control API; 0 for any.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    control_port: u16,

    /// Print addresses and accounts as one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: SimulateArgs) -> Result<ExitCode, CliError> {
    let dialogues = Arc::new(company(&args)?);
    let folder = DataDir::open(&args.state_dir)?;
    let accounts = accounts(&folder)?;
    let options = SimulatorOptions {
        state_dir: folder.file("services"),
        dialogues,
        accounts: accounts.clone(),
        supabase_tables: tables(),
        limits: Limits::default(),
    };
    let simulators = Simulators::start(options).await?;
    let port = args.control_port;
    let control = simulators.control(port).await.map_err(|error| {
        format!("the control API cannot listen on port {port} ({error}); choose another with --control-port")
    })?;
    let services = services(&simulators, &accounts);
    let text = if args.json {
        json!({"services": services, "control": control.address()}).to_string()
    } else {
        shown(&services, &control.address())
    };
    let told = told_to_stop();
    print(&text);
    say("Ctrl-C ends it.");
    told.await;
    drop(control);
    simulators.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The dialogues of the file, or a company of the size that was asked for.
fn company(args: &SimulateArgs) -> Result<DialogueSet, CliError> {
    let read = dialogues(args.data.as_deref())?;
    match (args.deals, args.messages) {
        (Some(dialogues), Some(messages)) => Ok(read.multiplied(Size { dialogues, messages, seed: args.seed })?),
        _ => Ok(read),
    }
}

fn dialogues(file: Option<&Path>) -> Result<DialogueSet, CliError> {
    let Some(file) = file else { return Ok(DialogueSet::parse(DEMO_DIALOGUES.as_bytes())?) };
    let name = file.display();
    let opened = File::open(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    DialogueSet::parse(BufReader::new(opened)).map_err(|error| format!("{name}: {error}").into())
}

/// The accounts are made once, so that what was set up against them still works after a new start.
fn accounts(folder: &DataDir) -> Result<Accounts, CliError> {
    if let Some(kept) = folder.read(FILE)? {
        return Ok(serde_json::from_str(&kept)?);
    }
    let accounts = Accounts::generate();
    folder.write(FILE, &serde_json::to_string_pretty(&accounts)?)?;
    Ok(accounts)
}

/// Each service with its address and its account. The credentials are made up and open nothing but these stand-ins.
fn services(simulators: &Simulators, accounts: &Accounts) -> Value {
    let at = simulators.endpoints();
    json!({
        "amocrm": {"base_url": at.amocrm, "access_token": accounts.amocrm_token},
        "radist": {"base_url": at.radist, "api_key": accounts.radist_key, "company_id": accounts.radist_company_id},
        "supabase": {"base_url": at.supabase, "service_key": accounts.supabase_service_key},
        "gemini": {"base_url": at.gemini, "api_key": accounts.gemini_key},
        "openai": {"base_url": at.openai, "api_key": accounts.openai_key},
        "telegram": {
            "base_url": at.telegram, "bot_token": accounts.telegram_token, "chat_ids": accounts.telegram_chat_ids,
        },
    })
}

fn shown(services: &Value, control: &str) -> String {
    let mut lines = Vec::new();
    for (service, fields) in services.as_object().into_iter().flatten() {
        lines.push(service.clone());
        for (name, value) in fields.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            lines.push(format!("  {name:<13}{value}"));
        }
    }
    format!("{}\n\ncontrol API at {control}\n\n{}", lines.join("\n"), CONTROL_USAGE.trim_end())
}
