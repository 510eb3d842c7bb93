//! The engine under load as a process of its own, for tests that kill and pause it.
//!
//! It writes one line for every commit, only after the commit was acknowledged, and a last one about all commands.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use infrastructure::database::Database;
use testkit::engine::{Acknowledgement, Load};

#[derive(Parser)]
struct Args {
    /// A server with a migrated schema as its search path.
    #[arg(long)]
    database_url: String,

    /// What the writers do follows from it.
    #[arg(long)]
    seed: u64,

    /// How many write at the same time.
    #[arg(long, default_value_t = 8)]
    writers: u64,

    /// How long they write.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,

    /// Most connections to the server.
    #[arg(long, default_value_t = 8)]
    connections: u32,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let database = Database::connect(&args.database_url, args.connections).await?;
    let length = Duration::try_from_secs_f64(args.seconds)?;
    let load = Load { seed: args.seed, writers: args.writers, length, projects: true };
    let counts = load.put_on(&database, Arc::new(tell)).await;
    writeln!(std::io::stdout(), "{counts}")?;
    Ok(())
}

/// Standard output is written line by line. One who no longer reads it has seen enough.
fn tell(acknowledged: &Acknowledgement) {
    let _ = writeln!(std::io::stdout(), "{acknowledged}");
}
