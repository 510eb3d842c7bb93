//! `synkro health`: what a container's health check runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CliError, print};
use crate::config::HttpArgs;

const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    http: HttpArgs,
}

pub(super) async fn run(args: HealthArgs) -> Result<ExitCode, CliError> {
    let address = reachable(args.http.bind);
    let status = tokio::time::timeout(PATIENCE, status(address)).await;
    let Ok(Ok(status)) = status else {
        return Err(format!("no answer from http://{address}/health").into());
    };
    print(&format!("http://{address}/health answers {status}"));
    Ok(if status == "200" { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where a server that listens on every address is reached from here.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

/// The status code of `/health`. One plain request to this machine needs no HTTP client.
async fn status(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).await?;
    answer.split_ascii_whitespace().nth(1).map(str::to_owned).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
