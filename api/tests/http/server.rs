use std::net::SocketAddr;
use std::time::Duration;

use api::{Bound, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::support::{Api, OWNER};

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_server_answers_on_its_address_until_it_is_told_to_stop() {
    let api = Api::new();
    let bound = Bound::to("127.0.0.1:0").await.unwrap();
    let address = bound.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap_or_default() };
    let server = tokio::spawn(serve(bound, api.state(), shutdown));

    let answer = exchange(address, "GET /health HTTP/1.1\r\nhost: synkro\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""status":"ok""#), "{answer}");

    let body = r#"{"from":"2026-06-01","to":"2026-06-01"}"#;
    let head = format!(
        "POST /api/v1/runs HTTP/1.1\r\nhost: synkro\r\nauthorization: Bearer token-of-{OWNER}\r\n\
         x-forwarded-for: 192.0.2.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(address, &head).await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted"), "{answer}");
    assert_eq!(api.memory.recorded.lock().unwrap()["ip"], "127.0.0.1");

    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
