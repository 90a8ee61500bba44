//! What a service that follows the revocation feed takes from the network.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::load;

/// How long a quiet feed is listened to.
const QUIET: Duration = Duration::from_secs(10);
/// How long after the last revocation its line is waited for: some rounds of the feed.
const AFTER: Duration = Duration::from_secs(2);

/// Bytes of the event stream, its framing included, TCP's and IP's headers not.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Feed {
    /// Each second in which nothing is revoked.
    pub quiet_bytes_per_s: f64,
    /// A revocation that comes alone.
    pub lone_entry_bytes: f64,
    /// A revocation among many: lines hold all that came within a round.
    pub entry_bytes: f64,
}

/// Listens while nothing happens, while these sessions end one after the other, and while those end at the same time.
pub async fn measure(to: SocketAddr, lone: &[String], many: &[String]) -> Result<Feed> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(b"GET /revocations/0 HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n").await?;
    let greeting = listen(&mut stream, AFTER).await?;
    ensure!(greeting > 0, "the feed says nothing");
    let quiet = listen(&mut stream, QUIET).await? as f64 / QUIET.as_secs_f64();
    let mut alone = 0.0;
    for token in lone {
        load::send(to, vec![load::revoke(token)], 1).await?;
        alone += listen(&mut stream, AFTER).await? as f64 - quiet * AFTER.as_secs_f64();
    }
    let begun = Instant::now();
    load::send(to, many.iter().map(|token| load::revoke(token)).collect(), 16).await?;
    let bytes = listen(&mut stream, AFTER).await? as f64;
    let among = bytes - quiet * begun.elapsed().as_secs_f64();
    Ok(Feed {
        quiet_bytes_per_s: quiet,
        lone_entry_bytes: alone / lone.len() as f64,
        entry_bytes: among / many.len() as f64,
    })
}

async fn listen(stream: &mut TcpStream, time: Duration) -> Result<usize> {
    let (until, mut bytes, mut piece) = (Instant::now() + time, 0, vec![0; 64 * 1024]);
    while let Ok(read) = timeout_at(until, stream.read(&mut piece)).await {
        let read = read?;
        ensure!(read > 0, "the feed was closed");
        bytes += read;
    }
    Ok(bytes)
}
