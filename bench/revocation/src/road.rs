//! The road between some verifiers and the issuer: a TCP proxy that can be cut.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
    sync::watch,
};

/// Runs until the program ends.
pub struct Road {
    open: watch::Sender<bool>,
    pub address: SocketAddr,
}

impl Road {
    pub async fn to(target: SocketAddr) -> Result<Self> {
        // All verifiers come back at once: the usual queue of 128 would make some of them wait for a second.
        let listener = TcpSocket::new_v4()?;
        listener.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = listener.listen(4_096)?;
        let address = listener.local_addr()?;
        let (open, seen) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, target, seen.clone()));
            }
        });
        Ok(Self { open, address })
    }

    /// From now on nothing arrives, and nobody is told: connections stay open and are silent.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// New connections get through; the old ones are gone.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(mut near: TcpStream, target: SocketAddr, mut open: watch::Receiver<bool>) {
    reached(&mut open, true).await;
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    // It ends in one way or the other; both ends hear of it.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        () = reached(&mut open, false) => reached(&mut open, true).await,
    }
}

async fn reached(open: &mut watch::Receiver<bool>, wanted: bool) {
    // An error: the program ends.
    let _ = open.wait_for(|open| *open == wanted).await;
}
