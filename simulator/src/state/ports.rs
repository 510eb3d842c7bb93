//! The ports of the services: chosen once, kept, and taken again at every start.

use std::{
    collections::BTreeMap,
    fs, io,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::net::TcpListener;

use super::StateError;
use crate::http::Service;

/// A kept port may be in use for a moment by somebody's outgoing connection.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// The file with the port of each service.
pub(crate) struct Ports {
    path: PathBuf,
    chosen: BTreeMap<Service, u16>,
}

impl Ports {
    pub(crate) fn open(path: PathBuf) -> Result<Self, StateError> {
        let chosen = match fs::read(&path) {
            Ok(content) => serde_json::from_slice(&content).map_err(|error| StateError::Corrupt {
                path: path.clone(),
                record: 1,
                reason: error.to_string(),
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(StateError::io(&path)(error)),
        };
        Ok(Self { path, chosen })
    }

    /// Listens on the kept port; if there is none, or another program has it, on a new one.
    pub(crate) async fn listen(&mut self, service: Service) -> io::Result<(TcpListener, u16)> {
        if let Some(port) = self.chosen.get(&service) {
            for _ in 0..TRIES {
                if let Ok(listener) = bind(*port).await {
                    return Ok((listener, *port));
                }
                tokio::time::sleep(PAUSE).await;
            }
            tracing::warn!(service = service.name(), port, "the kept port is taken; choosing a new one");
        }
        let listener = bind(0).await?;
        let port = listener.local_addr()?.port();
        self.chosen.insert(service, port);
        Ok((listener, port))
    }

    /// Writes the file in one step: a reader sees the old one or the new one.
    pub(crate) fn save(&self) -> Result<(), StateError> {
        let fresh = self.path.with_extension("json.new");
        write(&fresh, &self.chosen).map_err(StateError::io(&fresh))?;
        fs::rename(&fresh, &self.path).map_err(StateError::io(&self.path))
    }
}

async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

fn write(path: &Path, chosen: &BTreeMap<Service, u16>) -> io::Result<()> {
    fs::write(path, serde_json::to_vec_pretty(chosen)?)
}
