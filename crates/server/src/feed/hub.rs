//! The lines of the feed in memory, and everybody who reads them: one writer, any number of readers.
//!
//! The writer is the publisher of this issuer (`publish.rs`) or a relay's subscription upstream; neither the
//! readers nor this file care which.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, broadcast};

use super::{
    known_keys::{self, Knowing, Remembered, Said},
    line::Line,
};
use crate::domain::rsn::Rsn;

/// Lines that a reader may fall behind before it is sent away: 5 s at the fastest, almost a minute of heartbeats. It
/// comes back with its cursor and has lost nothing.
const BEHIND: usize = 256;

/// How many may read at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Seats {
    pub all: usize,
    pub per_address: usize,
}

/// Why nobody more may read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("all places for readers are taken")]
    All,
    #[error("this address has as many readers as it may have")]
    Address,
}

/// What is to be seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    pub readers: usize,
    pub lines: usize,
    pub entries: usize,
    pub bytes: usize,
}

/// See the module.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    seats: Seats,
    /// Lines that were sent live, counted.
    sent: AtomicU64,
    highest: AtomicI64,
    /// The writer hears its source.
    fresh: AtomicBool,
    begun: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// A chain from the beginning: each continues from the head of the one before.
    lines: Vec<Arc<Line>>,
    /// The last that was sent live, or a heartbeat.
    latest: Option<Arc<Line>>,
    /// None before the start and after the end.
    live: Option<broadcast::Sender<Arc<Line>>>,
    readers: HashMap<u64, Reader>,
    per_address: HashMap<IpAddr, usize>,
    next_reader: u64,
    remembered: Remembered,
}

#[derive(Debug)]
struct Reader {
    /// How many lines had been sent when it last asked for one.
    asked: Arc<AtomicU64>,
    /// Ends its connection.
    cut: Option<Arc<Notify>>,
    /// Which keys it has.
    said: Option<Said>,
}

/// A reader's place; free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    hub: Arc<Hub>,
    id: u64,
    address: Option<IpAddr>,
    asked: Arc<AtomicU64>,
}

/// What a reader gets: what it has missed, then what comes.
#[derive(Debug)]
pub struct Subscription {
    pub missed: Vec<Arc<Line>>,
    pub live: broadcast::Receiver<Arc<Line>>,
}

impl Hub {
    pub fn new(seats: Seats) -> Self {
        Self {
            state: Mutex::default(),
            seats,
            sent: AtomicU64::new(0),
            highest: AtomicI64::new(0),
            fresh: AtomicBool::new(false),
            begun: Notify::new(),
        }
    }

    /// Begins, or begins anew, with the whole feed: a chain of lines, and the line that says until when it is complete.
    pub fn restart(&self, lines: Vec<Arc<Line>>, latest: Arc<Line>) {
        let mut state = self.lock();
        state.lines = lines;
        self.send(&mut state, latest);
    }

    /// Adds a line and sends it to everybody.
    pub fn publish(&self, line: Arc<Line>) {
        let mut state = self.lock();
        if !line.is_heartbeat() {
            state.lines.push(Arc::clone(&line));
        }
        self.send(&mut state, line);
    }

    fn send(&self, state: &mut State, line: Arc<Line>) {
        self.highest.fetch_max(line.head.get(), Ordering::Relaxed);
        state.latest = Some(Arc::clone(&line));
        self.begun.notify_waiters();
        // Nobody reads: then nobody misses it.
        let _ = state.live.get_or_insert_with(|| broadcast::Sender::new(BEHIND)).send(line);
        let sent = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        self.fresh.store(true, Ordering::Relaxed);
        for reader in state.readers.values() {
            if sent.saturating_sub(reader.asked.load(Ordering::Relaxed)) > BEHIND as u64 {
                reader.cut.iter().for_each(|cut| cut.notify_one());
            }
        }
    }

    /// The chain of lines as it is now.
    pub fn lines(&self) -> Vec<Arc<Line>> {
        self.lock().lines.clone()
    }

    /// Puts a chain that says the same in place of the first `count` lines.
    pub fn replace(&self, count: usize, by: Vec<Arc<Line>>) {
        let mut state = self.lock();
        if count <= state.lines.len() {
            state.lines.splice(..count, by);
        }
    }

    /// The writer does not hear its source: what is here gets old.
    pub fn darken(&self) {
        self.fresh.store(false, Ordering::Relaxed);
    }

    /// Whether the writer hears its source.
    pub fn is_fresh(&self) -> bool {
        self.fresh.load(Ordering::Relaxed)
    }

    /// Ends every stream in good order. Who reads too slowly to notice is cut off by [`Hub::cut_all`].
    pub fn close(&self) {
        let mut state = self.lock();
        state.live = None;
        self.darken();
    }

    /// Ends the connections of everybody who still reads.
    pub fn cut_all(&self) {
        let cuts: Vec<_> = self.lock().readers.values().filter_map(|reader| reader.cut.clone()).collect();
        cuts.iter().for_each(|cut| cut.notify_one());
    }

    /// How many of those who read have the key `kid`, and who has not.
    pub fn knowing(&self, kid: &str) -> Knowing {
        let mut state = self.lock();
        state.remembered.forget();
        Knowing::of(kid, state.said())
    }

    /// The keys that everybody has who says so; none if nobody does.
    pub fn known_to_all(&self) -> Option<String> {
        let mut state = self.lock();
        state.remembered.forget();
        known_keys::common(state.said())
    }

    /// What a reader said holds a moment longer than its place: it asks, leaves, and asks again.
    pub fn remember(&self, said: Said) {
        self.lock().remembered.add(said);
    }

    /// Takes a place. `address` is none for who is not counted: the Unix socket.
    ///
    /// # Errors
    /// [`Full`]
    pub fn sit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        cut: Option<Arc<Notify>>,
        said: Option<Said>,
    ) -> Result<Seat, Full> {
        let mut state = self.lock();
        if let Some(address) = address {
            if state.readers.len() >= self.seats.all {
                return Err(Full::All);
            }
            let count = state.per_address.entry(address).or_insert(0);
            if *count >= self.seats.per_address {
                return Err(Full::Address);
            }
            *count += 1;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        let asked = Arc::new(AtomicU64::new(self.sent.load(Ordering::Relaxed)));
        state.readers.insert(id, Reader { asked: Arc::clone(&asked), cut, said });
        Ok(Seat { hub: Arc::clone(self), id, address, asked })
    }

    /// As [`Hub::subscribe`]; waits this long for a feed that is only just beginning.
    pub async fn subscribe_within(&self, after: Rsn, patience: Duration) -> Option<Subscription> {
        let begun = self.begun.notified();
        if let Some(subscription) = self.subscribe(after) {
            return Some(subscription);
        }
        let _ = tokio::time::timeout(patience, begun).await;
        self.subscribe(after)
    }

    /// Everything above a cursor, and what will come. `None` while there is no feed. The last of the missed lines says until
    /// when the feed is complete.
    pub fn subscribe(&self, after: Rsn) -> Option<Subscription> {
        let state = self.lock();
        let (live, latest) = (state.live.as_ref()?.subscribe(), state.latest.as_ref()?);
        let first = state.lines.partition_point(|line| line.head <= after);
        let mut missed = state.lines[first..].to_vec();
        if missed.last().is_none_or(|last| !Arc::ptr_eq(last, latest)) {
            missed.push(Arc::clone(latest));
        }
        Some(Subscription { missed, live })
    }

    /// The highest head that any line had.
    pub fn highest(&self) -> Rsn {
        Rsn::new(self.highest.load(Ordering::Relaxed))
    }

    /// The newest line.
    pub fn latest(&self) -> Option<Arc<Line>> {
        self.lock().latest.clone()
    }

    pub fn view(&self) -> View {
        let state = self.lock();
        View {
            readers: state.readers.len(),
            lines: state.lines.len(),
            entries: state.lines.iter().map(|line| line.entries).sum(),
            bytes: state.lines.iter().map(|line| line.jws().len()).sum(),
        }
    }

    // Every state is a valid one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn said(&self) -> impl Iterator<Item = &Said> {
        self.readers.values().filter_map(|reader| reader.said.as_ref()).chain(self.remembered.iter())
    }
}

impl Seat {
    /// It asks for its next line: it is alive.
    pub fn asks(&self) {
        self.asked.store(self.hub.sent.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.readers.remove(&self.id);
        let Some(address) = self.address else { return };
        if let Some(count) = state.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&address);
            }
        }
    }
}
