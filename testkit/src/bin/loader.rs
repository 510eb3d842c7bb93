//! The engine under load as a process of its own, for tests that kill and pause it.
//!
//! It writes one line for every commit, only after the commit was acknowledged, and a last one about all commands. It
//! ends when its standard input does, so it never outlives the test.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use infrastructure::database::Database;
use testkit::engine::{Acknowledgement, Load};
use tokio_util::sync::CancellationToken;

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

    /// How long they write at most.
    #[arg(long, default_value_t = 3_600.0)]
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
    let stop = CancellationToken::new();
    tokio::spawn(stop_after(Duration::try_from_secs_f64(args.seconds)?, stop.clone()));
    let load = Load { seed: args.seed, writers: args.writers, projects: true };
    let counts = load.put_on(&database, Arc::new(tell), stop).await;
    writeln!(std::io::stdout(), "{counts}")?;
    Ok(())
}

async fn stop_after(length: Duration, stop: CancellationToken) {
    // A thread of its own, which the end of the process does not wait for.
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    let _ = tokio::time::timeout(length, end).await;
    stop.cancel();
}

/// Standard output is written line by line. One who no longer reads it has seen enough.
fn tell(acknowledged: &Acknowledgement) {
    let _ = writeln!(std::io::stdout(), "{acknowledged}");
}
