//! A load generator that costs little, because it shares the machine with what it measures: one request after the other
//! on connections that stay open, HTTP/1.1 with bodies of known length.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::Failure;

/// A connection that stays open.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), line: String::new(), body: Vec::new() })
    }

    /// Sends a request and returns the body of the answer, which must have this status.
    pub(crate) async fn ask(&mut self, request: &str, status: u16) -> Result<&[u8], Failure> {
        self.stream.write_all(request.as_bytes()).await?;
        let answered = self.status().await?;
        let length = self.length().await?;
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await?;
        if answered != status {
            return Err(format!("{answered} instead of {status}: {}", String::from_utf8_lossy(&self.body)).into());
        }
        Ok(&self.body)
    }

    async fn status(&mut self) -> Result<u16, Failure> {
        let line = self.next_line().await?;
        let status = line.split(' ').nth(1).ok_or("an answer without a status")?;
        Ok(status.parse()?)
    }

    /// Reads the headers; the length of what follows.
    async fn length(&mut self) -> Result<usize, Failure> {
        let mut length = 0;
        loop {
            let line = self.next_line().await?;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
                Some((name, _)) if name.eq_ignore_ascii_case("transfer-encoding") => {
                    return Err("the answer's length is not known from its head".into());
                }
                Some(_) => {}
                None => return Ok(length),
            }
        }
    }

    async fn next_line(&mut self) -> Result<&str, Failure> {
        self.line.clear();
        if self.stream.read_line(&mut self.line).await? == 0 {
            return Err("the connection was closed".into());
        }
        Ok(self.line.trim_end())
    }
}

/// A request without a body, or with one of JSON.
pub(crate) fn request(method: &str, path: &str, token: &str, body: Option<&str>) -> String {
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n{kind}content-length: {length}\r\n\r\n{body}"
    )
}
