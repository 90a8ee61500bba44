//! A TCP proxy that passes on, or does not.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What it does with connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// Every piece waits for so long.
    Slow(Duration),
    /// Connections are taken, and nothing passes: neither data nor an end.
    Hang,
    /// Connections are closed.
    Refuse,
    /// What says COMMIT is passed on, and the connection cut before the answer (PostgreSQL).
    LoseCommits,
    /// Everything passes but a request for the key set.
    Keys(Keys),
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    Cut,
    Hang,
    Slow(Duration),
    /// This, whole, is the answer.
    Say(&'static str),
}

const KEYS: &[u8] = b"GET /.well-known/jwks.json";

#[derive(Debug)]
struct State {
    mode: Mutex<Mode>,
    /// Connections of an older one are over.
    generation: AtomicU64,
    target: Mutex<SocketAddr>,
}

/// Listens for as long as this process lives.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    state: Arc<State>,
}

impl Proxy {
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State { mode: Mutex::new(Mode::Pass), generation: AtomicU64::new(0), target: Mutex::new(target) };
        let state = Arc::new(state);
        let serving = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                thread::spawn(move || state.serve(&client));
            }
        });
        Self { address, state }
    }

    pub fn set(&self, mode: Mode) {
        *self.state.mode.lock().unwrap() = mode;
        // Whoever hung, or was refused, connects anew.
        if mode == Mode::Refuse {
            self.cut();
        }
    }

    /// All connections of this moment break.
    pub fn cut(&self) {
        self.state.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl State {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    fn serve(self: &Arc<Self>, client: &TcpStream) {
        let mine = self.generation.load(Ordering::SeqCst);
        if self.mode() == Mode::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(*self.target.lock().unwrap()) else { return };
        let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
        let state = Arc::clone(self);
        let upward = thread::spawn(move || state.pump(&from_client, &to_server, mine, true));
        self.pump(&server, client, mine, false);
        let _ = upward.join();
    }

    /// Passes on until somebody ends it; then both ends are closed.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, mine: u64, upward: bool) {
        let mut buffer = [0; 16 * 1024];
        let _ = from.set_read_timeout(Some(Duration::from_millis(20)));
        while self.generation.load(Ordering::SeqCst) == mine {
            let mode = self.mode();
            if mode == Mode::Hang {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                    continue;
                }
                Err(_) => break,
            };
            if let Mode::Keys(keys) = mode
                && buffer[..read].windows(KEYS.len()).any(|text| text == KEYS)
                && self.spoil(keys, from, mine).is_none()
            {
                break;
            }
            if self.pass(&buffer[..read], &mut to, upward).is_none() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// A request for the key set. `None`: it goes no further.
    fn spoil(&self, keys: Keys, mut client: &TcpStream, mine: u64) -> Option<()> {
        match keys {
            Keys::Cut => None,
            Keys::Slow(pause) => {
                thread::sleep(pause);
                Some(())
            }
            Keys::Say(answer) => {
                let _ = client.write_all(answer.as_bytes());
                None
            }
            Keys::Hang => {
                while self.mode() == Mode::Keys(keys) && self.generation.load(Ordering::SeqCst) == mine {
                    thread::sleep(Duration::from_millis(20));
                }
                None
            }
        }
    }

    /// `None`: this was the last.
    fn pass(&self, piece: &[u8], to: &mut &TcpStream, upward: bool) -> Option<()> {
        let mode = self.mode();
        if let Mode::Slow(pause) = mode {
            thread::sleep(pause);
        }
        to.write_all(piece).ok()?;
        let commits = mode == Mode::LoseCommits && upward && piece.windows(7).any(|text| text == b"COMMIT\0");
        if commits {
            // It arrives and is done; nobody hears of it.
            thread::sleep(Duration::from_millis(1));
            return None;
        }
        Some(())
    }
}
