//! A Redis for one test: its own keys on the server that tests share, and a gate on the way there.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use uuid::Uuid;

use crate::settings::{REDIS_URL, setting};

/// The way to a Redis, which the test can close. It ends with this value.
pub struct TestRedis {
    /// Its address, through the gate.
    pub url: String,
    /// The address of the server itself.
    pub server: String,
    /// What the test's keys begin with, so that tests do not meet.
    pub prefix: String,
    gate: watch::Sender<Gate>,
}

/// What becomes of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// They pass.
    Open,
    /// They are cut, and new ones too.
    Closed,
    /// They stand, and nothing passes.
    Silent,
}

impl TestRedis {
    /// With an open gate.
    ///
    /// # Panics
    /// Where no Redis is named for tests.
    #[expect(clippy::disallowed_methods, reason = "the name must differ between tests; nothing is replayed from it")]
    pub async fn new() -> Self {
        let server = setting(REDIS_URL).expect("scripts/test names a Redis in SYNKRO_TEST_REDIS_URL");
        let upstream = server.trim_start_matches("redis://").split('/').next().expect("an address").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address: SocketAddr = listener.local_addr().expect("a bound port");
        let gate = watch::Sender::new(Gate::Open);
        tokio::spawn(accept(listener, upstream, gate.subscribe()));
        Self { url: format!("redis://{address}"), server, prefix: format!("test:{}:", Uuid::new_v4()), gate }
    }

    /// Moves the gate.
    pub fn set(&self, gate: Gate) {
        self.gate.send_replace(gate);
    }
}

async fn accept(listener: TcpListener, upstream: String, mut gate: watch::Receiver<Gate>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    tokio::spawn(pass(client, upstream.clone(), gate.clone()));
                }
            }
            changed = gate.changed() => if changed.is_err() { return },
        }
    }
}

async fn pass(mut client: TcpStream, upstream: String, mut gate: watch::Receiver<Gate>) {
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    loop {
        let state = *gate.borrow_and_update();
        let changed = match state {
            Gate::Closed => return,
            Gate::Silent => gate.changed().await,
            Gate::Open => tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                changed = gate.changed() => changed,
            },
        };
        if changed.is_err() {
            return;
        }
    }
}
