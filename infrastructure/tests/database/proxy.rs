//! A way to the server that breaks when a test says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use infrastructure::database::Database;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use testkit::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Passes on what is said, in both directions.
pub(crate) struct Proxy {
    port: u16,
    way: Arc<Way>,
}

#[derive(Default)]
struct Way {
    loses_answer_to: Mutex<Option<&'static str>>,
    cut: Notify,
}

impl Proxy {
    /// In front of the test's server.
    pub(crate) async fn before(test: &TestDatabase) -> Self {
        let options = test.pool().connect_options();
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(Way::default());
        let passing = Arc::clone(&way);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&server).await.unwrap();
                let way = Arc::clone(&passing);
                tokio::spawn(async move { way.pass(client, server).await });
            }
        });
        Self { port, way }
    }

    /// The test's database as a process sees it that goes this way.
    pub(crate) async fn database(&self, test: &TestDatabase) -> Database {
        let options: PgConnectOptions = test.pool().connect_options().as_ref().clone();
        // What is encrypted could not be looked into.
        let options = options.host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable);
        Database::connect_with(options, 4).await.unwrap()
    }

    /// The next message with this text gets to the server, but the connection breaks when the server answers.
    pub(crate) fn lose_answer_to(&self, text: &'static str) {
        *self.way.loses_answer_to.lock().unwrap() = Some(text);
    }

    /// Breaks all connections.
    pub(crate) fn cut(&self) {
        self.way.cut.notify_waiters();
    }
}

impl Way {
    /// Until one side ends or the way is cut.
    async fn pass(&self, mut client: TcpStream, mut server: TcpStream) {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let breaks = AtomicBool::new(false);
        let questions = pass_on(&mut from_client, &mut to_server, |said| {
            if self.is_the_one(said) {
                breaks.store(true, Ordering::SeqCst);
            }
            true
        });
        let answers = pass_on(&mut from_server, &mut to_client, |_| !breaks.load(Ordering::SeqCst));
        tokio::select! {
            () = self.cut.notified() => {}
            () = questions => {}
            () = answers => {}
        }
    }

    /// True once, for the message whose answer gets lost.
    fn is_the_one(&self, said: &[u8]) -> bool {
        let mut wanted = self.loses_answer_to.lock().unwrap();
        wanted.take_if(|text| said.windows(text.len()).any(|part| part == text.as_bytes())).is_some()
    }
}

/// Passes on what one side says, until it ends or something must not get through.
async fn pass_on(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, mut may_pass: impl FnMut(&[u8]) -> bool) {
    let mut said = vec![0; 16_384];
    loop {
        let length = from.read(&mut said).await.unwrap_or(0);
        if length == 0 || !may_pass(&said[..length]) || to.write_all(&said[..length]).await.is_err() {
            return;
        }
    }
}
