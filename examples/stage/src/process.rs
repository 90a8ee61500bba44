//! What the processes of a program have in common: they are told by variables, say where they listen, and live as long as
//! their standard input is open. So none outlives the program that started it, however that one ends.

use std::{io::Read, net::SocketAddr};

use axum::Router;
use tokio::{net::TcpListener, sync::oneshot};

use crate::Failure;

/// What a process writes, followed by its URL, once it can be called.
pub const LISTENING: &str = "listening on ";

/// The value of an environment variable. Secrets come this way, too: arguments are shown to every user of a machine.
///
/// # Errors
/// It is not set, or no text.
pub fn variable(name: &'static str) -> Result<String, Failure> {
    std::env::var(name).map_err(|error| format!("the variable {name} is needed: {error}").into())
}

/// Serves at a free loopback port that the system chooses, until the standard input is closed.
///
/// # Errors
/// There is no such port.
pub async fn serve(app: Router) -> Result<(), Failure> {
    serve_at("127.0.0.1:0", app).await
}

/// The same at this address.
///
/// # Errors
/// It is taken.
pub async fn serve_at(address: &str, app: Router) -> Result<(), Failure> {
    serve_on(TcpListener::bind(address).await?, app).await
}

/// The same where somebody listens already.
///
/// # Errors
/// The listener is broken.
pub async fn serve_on(listener: TcpListener, app: Router) -> Result<(), Failure> {
    announce(listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(stdin_closed()).await?;
    Ok(())
}

/// Says that this process can be called.
pub fn announce(address: SocketAddr) {
    println!("{LISTENING}http://{address}");
}

/// Returns when nobody holds the other end of the standard input any more.
pub async fn stdin_closed() {
    let (closed, wait) = oneshot::channel();
    // A thread of its own: a runtime that ends would wait for a blocking task.
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|read| read > 0) {}
        // The receiver is gone if the process ends for another reason.
        let _ = closed.send(());
    });
    // An error means the same: the thread is gone.
    let _ = wait.await;
}
