//! The command line.

mod access;
mod data_key;
mod demo;
mod events;
mod feed;
mod health;
mod input;
mod kek;
mod keys;
mod log;
mod logging;
mod migrate;
mod open;
mod openapi;
mod projections;
mod serve;
mod simulate;
mod staff;
mod tenants;

use std::io::Write as _;
use std::process::ExitCode;

use application::AppError;
use application::error::chain;
use clap::{Parser, Subcommand};

pub use self::logging::filter as log_filter;
use crate::config::LogArgs;

/// Multi-tenant control plane: reports over a tenant's own conversations, every decision in an append-only log.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Subcommand)]
enum Command {
    /// What a company's roles may, and whether that is what they can.
    Access(access::AccessArgs),
    /// Shows Synkro doing its main job on real dialogues, with nothing to install or configure.
    Demo(demo::DemoArgs),
    /// Serves the API and does the pipeline's work.
    Serve(serve::ServeArgs),
    /// Brings the database schema up to date.
    Migrate(migrate::MigrateArgs),
    /// Asks a running server whether it is healthy; exits with 1 where it is not.
    Health(health::HealthArgs),
    /// Reads the event log: listing, showing, following, exporting.
    Events(events::EventsArgs),
    /// The keys that sign access tokens: the next one, all of them, one that shall go.
    Keys(keys::KeysArgs),
    /// Work on the event log itself.
    Log(log::EventLogArgs),
    /// Where the read models stand, and building them anew.
    Projections(projections::ProjectionsArgs),
    /// Runs the local stand-ins of the providers alone, for work by hand; faults can be put in their way.
    Simulate(simulate::SimulateArgs),
    /// Those who run the platform: letting them in, changing their roles, keeping them out.
    Staff(staff::StaffArgs),
    /// The companies: listing them, keeping them out for a while, and their end.
    Tenants(tenants::TenantsArgs),
    /// Prints the SQL that makes Synkro's tables in a company's Supabase project.
    SupabaseSchema,
    /// Prints the OpenAPI document.
    Openapi,
}

/// What ends a command early, for the one at the terminal.
type CliError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command that the arguments name.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let quiet = matches!(cli.command, Command::Demo(_));
    if let Err(error) = logging::start(&cli.log, quiet) {
        say(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    let done = match cli.command {
        Command::Access(args) => access::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Health(args) => health::run(args).await,
        Command::Events(args) => events::run(args).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Log(args) => log::run(args).await,
        Command::Projections(args) => projections::run(args).await,
        Command::Simulate(args) => simulate::run(args).await,
        Command::Staff(args) => staff::run(args).await,
        Command::Tenants(args) => tenants::run(args).await,
        Command::SupabaseSchema => {
            print(infrastructure::connectors::supabase::schema_sql().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi => {
            openapi::run();
            Ok(ExitCode::SUCCESS)
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {}", chain(error.as_ref())));
            for field in error.downcast_ref::<AppError>().map(|error| error.fields.as_slice()).unwrap_or_default() {
                say(&format!("  {}: {}", field.field, field.message));
            }
            ExitCode::FAILURE
        }
    }
}

/// Prints a result.
fn print(text: &str) {
    // Whoever reads the result may have had enough, as `head` has; what was done stays done.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Tells the one at the terminal something that is not the result.
#[expect(clippy::print_stderr, reason = "the one place that speaks beside the result")]
fn say(text: &str) {
    eprintln!("{text}");
}
