//! The road between one verifier and the issuer: a TCP proxy that can be cut.

use stage::Failure;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Runs until the program ends.
pub struct Road {
    open: watch::Sender<bool>,
    /// Where it begins.
    pub url: String,
}

impl Road {
    /// An open road to the issuer.
    pub async fn to(issuer: &str) -> Result<Self, Failure> {
        let target = issuer.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (open, seen) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, target.clone(), seen.clone()));
            }
        });
        Ok(Self { open, url })
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

async fn pass(mut near: TcpStream, target: String, mut open: watch::Receiver<bool>) {
    reached(&mut open, true).await;
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        // It ends in one way or the other; both ends hear of it.
        _ = copy_bidirectional(&mut near, &mut far) => {}
        () = reached(&mut open, false) => reached(&mut open, true).await,
    }
}

async fn reached(open: &mut watch::Receiver<bool>, wanted: bool) {
    // An error: the program ends.
    let _ = open.wait_for(|open| *open == wanted).await;
}
