//! Connections that can be cut from inside: how a fault leaves a caller without an answer.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// The open connections of one service, by the caller's address.
#[derive(Clone, Default)]
pub(crate) struct OpenConnections {
    cuts: Arc<Mutex<HashMap<SocketAddr, Arc<AtomicBool>>>>,
}

impl OpenConnections {
    /// From now on nothing more is written to the caller: the next write closes the connection.
    pub(crate) fn cut(&self, caller: &SocketAddr) {
        if let Some(cut) = self.locked().get(caller) {
            cut.store(true, Ordering::Release);
        }
    }

    fn opened(&self, caller: SocketAddr) -> Arc<AtomicBool> {
        let cut = Arc::new(AtomicBool::new(false));
        self.locked().insert(caller, Arc::clone(&cut));
        cut
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Arc<AtomicBool>>> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections that [`OpenConnections`] can cut.
pub(crate) struct CutAcceptor {
    listener: TcpListener,
    local: SocketAddr,
    open: OpenConnections,
}

impl CutAcceptor {
    pub(crate) fn new(listener: TcpListener, local: SocketAddr, open: OpenConnections) -> Self {
        Self { listener, local, open }
    }

    fn local(&self) -> LocalAddr {
        LocalAddr(self.local.into())
    }
}

impl Acceptor for CutAcceptor {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (stream, caller) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        let cut = self.open.opened(caller);
        let connection = Connection { stream, caller, cut, open: self.open.clone() };
        Ok((connection, self.local(), RemoteAddr(caller.into()), Scheme::HTTP))
    }
}

/// A caller's connection.
pub(crate) struct Connection {
    stream: TcpStream,
    caller: SocketAddr,
    cut: Arc<AtomicBool>,
    open: OpenConnections,
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if self.cut.load(Ordering::Acquire) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.locked().remove(&self.caller);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
