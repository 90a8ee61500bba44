//! The way between issuer and verifier, which does to every message what the schedule of faults says.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use countersign_jose::KeySet;
use tokio::sync::{mpsc, oneshot};

use super::{
    Dice, Micros,
    server::{Node, Server},
};
use crate::feed::{FeedError, Lines, Transport};

/// What may go wrong, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused, and those that stand break.
    Cut,
    /// Nothing arrives any more, and nobody says so.
    Blackhole,
    /// Everything is held back for this long, and let go at the end.
    Hold(Micros),
    /// Old lines and old answers in place of new ones.
    Replay,
    /// Each line takes its own time, up to two seconds.
    Reorder,
    /// Each line comes twice.
    Duplicate,
    /// Lines are lost one by one.
    Lossy,
    /// The verifier is led to another node.
    Elsewhere(Node),
    /// Questions for the time stay unanswered.
    NoTime,
    /// The machine is suspended.
    Freeze,
}

#[derive(Debug)]
enum Message {
    /// For this connection; with the time that it shows.
    Line(u64, Option<Signed>),
    Time(oneshot::Sender<String>, String),
}

/// A signed batch, and the time in it.
#[derive(Debug, Clone)]
struct Signed {
    text: String,
    t: i64,
}

/// A message and when it arrives; the serial keeps the order of equals.
#[derive(Debug)]
struct Flight {
    at: Micros,
    serial: u64,
    message: Message,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.serial) == (other.at, other.serial)
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

#[derive(Debug)]
struct Connection {
    id: u64,
    lines: mpsc::UnboundedSender<Option<String>>,
    /// The head that was sent last.
    sent: i64,
    /// When the last line arrives: a connection keeps the order of what is sent on it.
    last_at: Micros,
}

#[derive(Debug)]
pub struct Network {
    pub now: Micros,
    pub server: Server,
    pub dice: Dice,
    /// From when until when each fault lasts.
    pub faults: Vec<(Fault, Micros, Micros)>,
    /// More than one while the verifier tries again without having given up the last try.
    connections: Vec<Connection>,
    flights: BinaryHeap<Reverse<Flight>>,
    serial: u64,
    /// The newest time in any batch that arrived, whatever became of it.
    pub shown: i64,
    /// Lines and answers of the past, for whoever replays them.
    recorded: Vec<Signed>,
    recorded_times: Vec<String>,
}

impl Network {
    pub fn new(now: Micros, dice: Dice) -> Self {
        Self {
            now,
            server: Server::new(now),
            dice,
            faults: Vec::new(),
            connections: Vec::new(),
            flights: BinaryHeap::new(),
            serial: 0,
            shown: 0,
            recorded: Vec::new(),
            recorded_times: Vec::new(),
        }
    }

    pub fn has(&self, fault: impl Fn(Fault) -> bool) -> bool {
        self.active().any(fault)
    }

    fn active(&self) -> impl Iterator<Item = Fault> {
        let now = self.now;
        self.faults.iter().filter(move |(_, from, until)| (*from..*until).contains(&now)).map(|(fault, ..)| *fault)
    }

    pub fn next_arrival(&self) -> Option<Micros> {
        self.flights.peek().map(|Reverse(flight)| flight.at)
    }

    /// Hands over what has arrived by now.
    pub fn deliver(&mut self) {
        while self.next_arrival().is_some_and(|at| at <= self.now) {
            let Some(Reverse(flight)) = self.flights.pop() else { return };
            match flight.message {
                Message::Line(id, line) => {
                    let Some(at) = self.connections.iter().position(|it| it.id == id) else { continue };
                    self.shown = self.shown.max(line.as_ref().map_or(0, |line| line.t));
                    let ended = line.is_none();
                    let gone = self.connections[at].lines.send(line.map(|line| line.text)).is_err();
                    if ended || gone {
                        self.connections.swap_remove(at);
                    }
                }
                Message::Time(asker, answer) => drop(asker.send(answer)),
            }
        }
    }

    /// Sends what is new, or a heartbeat.
    pub fn publish(&mut self) {
        if self.has(|it| it == Fault::Cut) {
            self.connections.clear();
        }
        self.connections.retain(|it| !it.lines.is_closed());
        let view = self.server.view(self.node(), self.now);
        for at in 0..self.connections.len() {
            let previous = self.connections[at].sent.min(view.head);
            let text = self.server.batch(previous, view.head, view.t, false);
            self.send_line(at, Signed { text, t: view.t });
            self.connections[at].sent = view.head;
        }
    }

    fn open(&mut self, after: i64) -> Option<mpsc::UnboundedReceiver<Option<String>>> {
        if self.has(|it| it == Fault::Cut) {
            return None;
        }
        let (lines, receiver) = mpsc::unbounded_channel();
        self.serial += 1;
        let view = self.server.view(self.node(), self.now);
        let at = self.connections.len();
        self.connections.push(Connection { id: self.serial, lines, sent: view.head, last_at: self.now });
        let mut previous = after.min(view.head);
        // A snapshot in parts, however long they are; a cut may fall between any two.
        for position in self.server.positions(after, view) {
            if self.dice.chance(40) && position < view.head {
                let text = self.server.batch(previous, position, view.t, true);
                self.send_line(at, Signed { text, t: view.t });
                previous = position;
            }
        }
        let text = self.server.batch(previous, view.head, view.t, false);
        self.send_line(at, Signed { text, t: view.t });
        Some(receiver)
    }

    fn ask_time(&mut self, nonce: &str, asker: oneshot::Sender<String>) {
        if self.has(|it| matches!(it, Fault::Cut | Fault::Blackhole | Fault::NoTime)) {
            // Nobody answers. The question is kept, so that the asker waits in vain.
            let never = self.now + 1_000_000_000;
            return self.fly(never, Message::Time(asker, String::new()));
        }
        let there = self.latency();
        let view = self.server.view(self.node(), self.now + there);
        let mut answer = self.server.time(nonce, view, self.now + there);
        if self.has(|it| it == Fault::Replay) && !self.recorded_times.is_empty() {
            let which = self.dice.below(u64::try_from(self.recorded_times.len()).unwrap());
            answer.clone_from(&self.recorded_times[usize::try_from(which).unwrap()]);
        } else {
            self.recorded_times.push(answer.clone());
        }
        let back = self.latency();
        self.fly(self.now + there + back, Message::Time(asker, answer));
    }

    fn send_line(&mut self, connection: usize, line: Signed) {
        let id = self.connections[connection].id;
        if self.has(|it| it == Fault::Blackhole) || (self.has(|it| it == Fault::Lossy) && self.dice.chance(50)) {
            return;
        }
        if self.has(|it| it == Fault::Replay) && !self.recorded.is_empty() {
            let which = self.dice.below(u64::try_from(self.recorded.len()).unwrap());
            let old = self.recorded[usize::try_from(which).unwrap()].clone();
            let at = self.now + self.latency();
            return self.fly(at, Message::Line(id, Some(old)));
        }
        self.recorded.push(line.clone());
        let mut at = self.now + self.latency();
        if !self.has(|it| it == Fault::Reorder) {
            at = at.max(self.connections[connection].last_at);
            self.connections[connection].last_at = at;
        }
        if self.has(|it| it == Fault::Duplicate) {
            let again = at + self.dice.between(0, 3_000_000);
            self.fly(again, Message::Line(id, Some(line.clone())));
        }
        self.fly(at, Message::Line(id, Some(line)));
        if self.dice.chance(1) {
            // The stream ends for no reason.
            self.fly(at + 1, Message::Line(id, None));
        }
    }

    fn latency(&mut self) -> Micros {
        let base = self.dice.between(200, 20_000);
        let now = self.now;
        let holds = self.faults.iter().filter_map(|(fault, from, until)| match fault {
            Fault::Hold(by) if (*from..*until).contains(&now) => Some((*by).min(until - now)),
            _ => None,
        });
        let held = holds.max().unwrap_or(0);
        let reordered = if self.has(|it| it == Fault::Reorder) { self.dice.between(0, 2_000_000) } else { 0 };
        base + held + reordered
    }

    fn node(&self) -> Node {
        let elsewhere = self.active().find_map(|it| if let Fault::Elsewhere(node) = it { Some(node) } else { None });
        elsewhere.unwrap_or(Node::Primary)
    }

    fn fly(&mut self, at: Micros, message: Message) {
        self.serial += 1;
        self.flights.push(Reverse(Flight { at, serial: self.serial, message }));
    }
}

/// One verifier's end of the network.
#[derive(Debug, Clone)]
pub struct Wire(pub Arc<Mutex<Network>>);

impl Wire {
    pub fn network(&self) -> MutexGuard<'_, Network> {
        self.0.lock().unwrap()
    }
}

#[derive(Debug)]
pub struct WireLines(mpsc::UnboundedReceiver<Option<String>>);

impl Transport for Wire {
    type Lines = WireLines;

    async fn open(&self, after: i64) -> Result<WireLines, FeedError> {
        let opened = self.network().open(after);
        opened.map(WireLines).ok_or_else(|| FeedError::Connection("refused".into()))
    }

    async fn time(&self, nonce: &str) -> Result<String, FeedError> {
        let (asker, answer) = oneshot::channel();
        self.network().ask_time(nonce, asker);
        answer.await.map_err(|_| FeedError::Ended)
    }

    async fn keys(&self) -> Result<KeySet, FeedError> {
        Ok(Server::keys())
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_millis(200)
    }
}

impl Lines for WireLines {
    async fn next(&mut self, _: i64) -> Result<Option<String>, FeedError> {
        Ok(self.0.recv().await.flatten())
    }
}
