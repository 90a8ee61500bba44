//! What only the wire shows: heads that are too large or ambiguous, bodies that lie (NET-03, NET-05), draining.

use std::{net::SocketAddr, time::Duration};

use countersign_server::http::serve::Server;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::rig::Rig;

struct Wire {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

async fn serve(rig: &Rig) -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(rig.front.clone(), rig.app.metrics.clone(), &rig.app.config.limits);
    let served = tokio::spawn(server.tcp(listener, async {
        let _ = stopped.await;
    }));
    Wire { address, stop, served }
}

/// Everything that comes back until the server closes the connection.
async fn send(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may have answered and closed before all was sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn lying_or_oversized_requests_are_refused_and_closed() {
    let rig = Rig::sqlite().await;
    let wire = serve(&rig).await;
    let host = "host: localhost:8080\r\n";
    let large = format!("GET /healthz HTTP/1.1\r\n{host}x: {}\r\n\r\n", "y".repeat(20_000));
    let many: String = (0..150).map(|n| format!("x-{n}: y\r\n")).collect();
    for (what, request, status) in [
        ("a head over 16 KiB", large, "HTTP/1.1 431"),
        ("more than 100 headers", format!("GET /healthz HTTP/1.1\r\n{host}{many}\r\n"), "HTTP/1.1 431"),
        (
            "two lengths",
            format!("POST /token HTTP/1.1\r\n{host}content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
            "HTTP/1.1 400",
        ),
        ("no HTTP at all", "hello\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (
            "a bad chunk",
            format!(
                "POST /token HTTP/1.1\r\n{host}content-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n"
            ),
            "HTTP/1.1 400",
        ),
        (
            "two hosts",
            format!("GET /healthz HTTP/1.1\r\n{host}host: evil\r\nconnection: close\r\n\r\n"),
            "HTTP/1.1 400",
        ),
    ] {
        let answer = send(wire.address, request.as_bytes()).await;
        assert!(answer.starts_with(status), "{what}: {answer}");
        assert!(!answer.contains("panicked") && !answer.contains(".rs"), "{what} leaks: {answer}");
    }
    // And it still serves.
    let answer =
        send(wire.address, format!("GET /healthz HTTP/1.1\r\n{host}connection: close\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

// NET-03: the two that hyper's own timer would keep for ever, and one that it would not.
#[tokio::test]
async fn a_connection_that_sends_no_whole_head_is_closed() {
    let rig = Rig::sqlite().await;
    let wire = serve(&rig).await;
    let ends = ["", "P", "GET /healthz HTTP/1.1\r\nhost: localhost\r\n"].map(|begin| async move {
        let mut stream = TcpStream::connect(wire.address).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "{begin:?} is still waited for");
        assert!(answer.is_empty());
    });
    futures_util::future::join_all(ends).await;
}

#[tokio::test]
async fn draining_answers_what_is_open_and_closes_what_is_idle() {
    let rig = Rig::sqlite().await;
    let wire = serve(&rig).await;
    let mut idle = TcpStream::connect(wire.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    wire.stop.send(()).unwrap();
    wire.served.await.unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(wire.address).await.is_err());
}
