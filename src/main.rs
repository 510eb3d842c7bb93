//! The `synkro` program.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    synkro::cli::run().await
}
