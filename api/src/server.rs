//! Listening for HTTP.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Server;
use poem::listener::TcpAcceptor;
use tokio::net::{TcpListener, ToSocketAddrs};

use crate::{AppState, routes};

/// How long requests in progress may take to end once the process shall stop.
const DRAIN: Duration = Duration::from_secs(10);

/// A connection on which nothing happens for this long is closed.
const IDLE: Duration = Duration::from_secs(75);

/// A socket that listens, and does not answer yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Takes the address; port 0 takes any free one.
    pub async fn to(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers requests until `shutdown` is ready; then takes no new ones and gives those in progress ten seconds.
pub async fn serve(bound: Bound, state: Arc<AppState>, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let acceptor = TcpAcceptor::from_tokio(bound.listener)?;
    let server = Server::new_with_acceptor(acceptor).idle_timeout(IDLE);
    server.run_with_graceful_shutdown(routes(state), shutdown, Some(DRAIN)).await
}
