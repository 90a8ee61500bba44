//! What systemd wants to hear (sd_notify(3)): ready, reloading, stopping, alive. Without it, nobody is told.

use std::{os::unix::net::UnixDatagram, path::Path, sync::Arc, time::Duration};

/// Whoever started this process and waits for word of it.
#[derive(Debug, Clone)]
pub struct Supervisor(Option<Arc<UnixDatagram>>);

impl Supervisor {
    /// As the environment says. A socket that nobody reads is as good as none.
    pub fn of_environment() -> Self {
        let connected = std::env::var_os("NOTIFY_SOCKET").and_then(|name| {
            let socket = UnixDatagram::unbound().ok()?;
            connect(&socket, Path::new(&name)).ok()?;
            // A supervisor that does not read must not stop the server.
            socket.set_nonblocking(true).ok()?;
            Some(Arc::new(socket))
        });
        Self(connected)
    }

    /// One line, such as `READY=1`.
    pub fn say(&self, line: &str) {
        // Whether it was heard changes nothing here.
        let _ = self.0.as_ref().map(|socket| socket.send(line.as_bytes()));
    }

    /// Says that the process lives, twice as often as it must; what runs out of threads is restarted.
    pub async fn keep_alive(self) {
        let Some(limit) = limit() else { return };
        loop {
            self.say("WATCHDOG=1");
            tokio::time::sleep(limit / 2).await;
        }
    }
}

/// How long the supervisor waits for a sign of life, if it does.
fn limit() -> Option<Duration> {
    let micros = std::env::var("WATCHDOG_USEC").ok()?.parse::<u64>().ok()?;
    Some(Duration::from_micros(micros)).filter(|limit| !limit.is_zero())
}

#[cfg(target_os = "linux")]
fn connect(socket: &UnixDatagram, path: &Path) -> std::io::Result<()> {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::{ffi::OsStrExt, net::SocketAddr},
    };
    match path.as_os_str().as_bytes() {
        // A name that is no file (unix(7)).
        [b'@', name @ ..] => socket.connect_addr(&SocketAddr::from_abstract_name(name)?),
        _ => socket.connect(path),
    }
}

#[cfg(not(target_os = "linux"))]
fn connect(socket: &UnixDatagram, path: &Path) -> std::io::Result<()> {
    socket.connect(path)
}
