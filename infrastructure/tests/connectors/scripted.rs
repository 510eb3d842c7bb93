//! A server that gives prepared answers, one connection each, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to one connection.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These bytes, then the end of the connection.
    Bytes(String),
    /// The connection stays open without a byte.
    Silence,
}

impl Answer {
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::with_headers(status, "content-type: application/json\r\n", body)
    }

    pub(crate) fn with_headers(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
        Self::Bytes(format!("{head}{body}"))
    }
}

pub(crate) struct Scripted {
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers in this order; the last answer is repeated.
    pub(crate) async fn answering(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            for turn in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = answers[turn.min(answers.len() - 1)].clone();
                tokio::spawn(serve(stream, answer, Arc::clone(&seen)));
            }
        });
        Self { base, requests }
    }

    /// The requests so far, heads and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The first lines of the requests so far.
    pub(crate) fn first_lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, seen: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut stream).await;
    seen.lock().unwrap().push(request);
    match answer {
        // The caller may hang up before it has read everything.
        Answer::Bytes(bytes) => drop(stream.write_all(bytes.as_bytes()).await),
        Answer::Silence => tokio::time::sleep(Duration::from_secs(30)).await,
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !is_whole(&bytes) && stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {}
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether head and body are there. A body may hold a picture, so its bytes are counted and not its letters.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    bytes.len() - end - 4 >= length.map_or(0, |length| length.trim().parse().unwrap())
}
