//! The control API: faults and the journal of calls, over HTTP on a port of its own.
//!
//! It listens on loopback only, and takes JSON that says so in `content-type`: a web page in a browser on this machine
//! cannot send that without being asked first, which nobody answers here.

mod request;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use poem::http::{Method, StatusCode};
use poem::listener::TcpAcceptor;
use poem::{Endpoint, Request, Response, Server};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::faults::Faults;
use crate::http::{Incoming, Reply, Service};
use crate::state::Journal;

/// What can be asked, for people.
pub const USAGE: &str = include_str!("usage.txt");

/// The running control API. Dropping it ends it.
pub struct Control {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Control {
    pub(crate) async fn start(port: u16, faults: Faults, journal: Arc<Journal>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let acceptor = TcpAcceptor::from_tokio(listener)?;
        let server = tokio::spawn(async move {
            if let Err(error) = Server::new_with_acceptor(acceptor).run(Desk { faults, journal }).await {
                tracing::error!(%error, "the control API ended");
            }
        });
        Ok(Self { address, server })
    }

    /// `http://127.0.0.1:PORT`
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Desk {
    faults: Faults,
    journal: Arc<Journal>,
}

impl Endpoint for Desk {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.answer(&Incoming::read(request).await?).into_response())
    }
}

impl Desk {
    fn answer(&self, call: &Incoming) -> Reply {
        match (&call.method, call.segments().as_slice()) {
            (&Method::GET, []) => text(USAGE),
            (&Method::GET, ["__control", "faults"]) => {
                let waiting: Vec<_> = self.faults.waiting().iter().map(request::shown).collect();
                Reply::json(StatusCode::OK, &json!({ "faults": waiting }))
            }
            (&Method::POST, ["__control", "faults"]) => self.inject(call),
            (&Method::DELETE, ["__control", "faults"]) => {
                self.faults.clear();
                Reply::empty(StatusCode::NO_CONTENT)
            }
            (&Method::GET, ["__control", "calls"]) => self.calls(call),
            (&Method::DELETE, ["__control", "calls"]) => match self.journal.clear() {
                Ok(()) => Reply::empty(StatusCode::NO_CONTENT),
                Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &[error.to_string()]),
            },
            _ => refused(StatusCode::NOT_FOUND, &["there is no such operation; GET / shows those that are".to_owned()]),
        }
    }

    fn inject(&self, call: &Incoming) -> Reply {
        if !call.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &["content-type must be application/json".to_owned()]);
        }
        match request::read(&call.body) {
            Ok(fault) => {
                let shown = request::shown(&fault);
                self.faults.inject(fault);
                Reply::json(StatusCode::CREATED, &shown)
            }
            Err(faults) => refused(StatusCode::UNPROCESSABLE_ENTITY, &faults),
        }
    }

    fn calls(&self, call: &Incoming) -> Reply {
        let service = match call.param("service").map(Service::named) {
            None => None,
            Some(Some(service)) => Some(service),
            Some(None) => return refused(StatusCode::UNPROCESSABLE_ENTITY, &[request::unknown_service()]),
        };
        let calls = self.journal.calls();
        let chosen: Vec<_> = calls.iter().filter(|call| service.is_none_or(|wanted| call.service == wanted)).collect();
        Reply::json(StatusCode::OK, &json!({ "calls": chosen }))
    }
}

fn refused(status: StatusCode, errors: &[String]) -> Reply {
    Reply::json(status, &json!({ "errors": errors }))
}

fn text(text: &str) -> Reply {
    let mut reply = Reply::empty(StatusCode::OK).header("content-type", "text/plain; charset=utf-8");
    reply.body = text.as_bytes().to_vec();
    reply
}

#[cfg(test)]
mod tests;
