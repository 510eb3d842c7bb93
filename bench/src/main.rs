//! Figures, each beside the machine's own limit, measured in the same run. Never from a timed test.
//!
//! `cargo run --release -p bench -- all`, or one figure by its name; `--json` prints one JSON object a line. They run on
//! a throwaway schema of the server at `DATABASE_URL`, which must be durable (`fsync` and `synchronous_commit` on).

mod figures;
mod http;
mod load;
mod report;
mod server;
mod simulators;
mod system;

use std::process::ExitCode;

use clap::Parser;

use figures::FIGURES;
use server::Server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Args {
    /// `all`, or the name of one figure.
    figure: String,

    /// The server to measure on.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "postgres://postgres@127.0.0.1:5432/postgres",
        hide_env_values = true
    )]
    database_url: String,

    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,

    /// Events of the rebuild figures.
    #[arg(long, default_value_t = 1_000_000)]
    events: i64,

    /// Seconds of each measurement of a rate.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    // Some figures start the stand-ins of the services as another process of this program.
    if std::env::args().nth(1).as_deref() == Some(simulators::COMMAND) {
        return synkro::cli::run().await;
    }
    let args = Args::parse();
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Failure> {
    let chosen: Vec<_> = FIGURES.iter().filter(|(name, _)| args.figure == "all" || args.figure == *name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
        return Err(format!("there is no figure {}; there are: all, {}", args.figure, names.join(", ")).into());
    }
    let options = figures::Options { seconds: args.seconds, events: args.events };
    report::head(args.json, &Server::conditions(&args.database_url).await?);
    for (_, measure) in chosen {
        let server = Server::create(&args.database_url).await?;
        let figure = measure(server.clone(), options).await;
        server.drop_schema().await?;
        report::figure(args.json, &figure?);
    }
    Ok(())
}
