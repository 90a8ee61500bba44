//! Time, chance and the order of things; what happens at the issuer.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fmt::{Debug, Write},
    rc::Rc,
    time::Duration,
};

use countersign_server::domain::{revocation::Entry, time::Timestamp, trim::Confirmed};

use countersign_verify::Names;

use crate::{
    database::{Database, SCOPE, TTL},
    flaw::Flaw,
    keys::Ring,
    people::{Client, Read, Reply, Request, keys},
    random::Chance,
    verifiers::{Message, Verifier},
};

pub const START: Timestamp = Timestamp::from_secs(1_790_000_000);
pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
/// How long things go wrong, and how long they go well after that.
const TROUBLE: Duration = Duration::from_secs(3 * 3600);
const QUIET: Duration = Duration::from_secs(3600);
/// At the end, services ask all the time.
const LAST: Duration = Duration::from_secs(2 * 60);

#[derive(Debug)]
pub enum Event {
    /// A tab of a client refreshes.
    Wake(usize),
    Thief(usize),
    Steal(usize),
    Arrive(Box<Request>),
    Save(Box<Read>),
    Answer(Reply),
    Sync,
    Crash,
    Backup,
    Restore,
    Revoke(usize, bool),
    /// What the user of a client may do changes.
    Rights(usize),
    RevokeKey,
    ClockJumps(i64),
    Trim,
    Keys,
    /// A verifier asks; it hears; it looks at tokens.
    Ask(usize),
    Hear(usize, Box<Message>),
    Look(usize),
    Restart(usize),
}

/// When, in microseconds; which of several at the same time; what.
struct Due(u64, u64, Event);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// An access token that is out.
pub struct Token {
    pub names: Names,
    pub kid: String,
    /// The version of the rights that it carries.
    pub rights: u32,
    pub session: usize,
    pub expires: Duration,
}

/// What happened, over many schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub refreshes: u64,
    pub caught: u64,
    pub accepted: u64,
    pub dead: u64,
    pub stale: u64,
    pub crashes: u64,
    pub restores: u64,
    pub trimmed: u64,
    pub activations: u64,
    pub keys_revoked: u64,
    pub rights_changed: u64,
    /// Answers that never came.
    pub lost: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.refreshes += other.refreshes;
        self.caught += other.caught;
        self.accepted += other.accepted;
        self.dead += other.dead;
        self.stale += other.stale;
        self.crashes += other.crashes;
        self.restores += other.restores;
        self.trimmed += other.trimmed;
        self.activations += other.activations;
        self.keys_revoked += other.keys_revoked;
        self.rights_changed += other.rights_changed;
        self.lost += other.lost;
    }
}

pub struct World {
    pub seed: u64,
    pub flaw: Flaw,
    pub chance: Chance,
    /// The true time since the start.
    pub now: Duration,
    queue: BinaryHeap<Reverse<Due>>,
    serial: u64,
    pub database: Database,
    pub mac: countersign_server::domain::refresh_token::MacKeys,
    /// What each replica's clock is off, in microseconds.
    pub replicas: Vec<i64>,
    /// What the database's clock has jumped ahead.
    pub jumped: i64,
    /// Answers that wait for the disk, and revocations.
    waiting: Vec<Event>,
    ending: Vec<usize>,
    changing: Vec<usize>,
    confirmed: Confirmed,
    pub ring: Ring,
    pub clients: Vec<Client>,
    pub verifiers: Vec<Verifier>,
    pub tokens: Vec<Token>,
    pub counts: Counts,
    pub talks: bool,
    traces: bool,
    trace: Vec<String>,
    pub failure: Option<String>,
}

impl World {
    pub fn new(seed: u64, flaw: Flaw) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(0x9E37_79B9) ^ 0x51_4D);
        let mut database = Database::default();
        database.rows.t = START;
        database.rows.passed = START;
        database.rows.keys = Ring::first();
        let replicas =
            (0..=chance.below(3)).map(|_| 2_000_000 - i64::try_from(chance.below(4_000_000)).unwrap()).collect();
        let mut world = Self {
            seed,
            flaw,
            chance,
            now: Duration::ZERO,
            queue: BinaryHeap::new(),
            serial: 0,
            database,
            mac: keys(),
            replicas,
            jumped: 0,
            waiting: Vec::new(),
            ending: Vec::new(),
            changing: Vec::new(),
            confirmed: Confirmed::new(Some(START), START, Duration::ZERO),
            ring: Ring::default(),
            clients: Vec::new(),
            verifiers: Vec::new(),
            tokens: Vec::new(),
            counts: Counts::default(),
            talks: false,
            traces: false,
            trace: Vec::new(),
            failure: None,
        };
        for at in 0..=world.chance.below(2) {
            let client = Client::sign_in(&mut world, at);
            world.clients.push(client);
        }
        for _ in 0..=world.chance.below(2) {
            let verifier = Verifier::new(&mut world);
            world.verifiers.push(verifier);
        }
        world.database.sync();
        world.database.backup.clone_from(&world.database.durable);
        world.draw();
        world
    }

    /// Everything that is not an answer to something else.
    fn draw(&mut self) {
        for client in 0..self.clients.len() {
            let first = self.span(SECOND, 5 * MINUTE);
            self.after(first, Event::Wake(client));
            if self.chance.one_in(2) {
                self.somewhen(|_| Event::Steal(client));
            }
            if self.chance.one_in(2) {
                let everywhere = self.chance.one_in(2);
                self.somewhen(|_| Event::Revoke(client, everywhere));
            }
        }
        for verifier in 0..self.verifiers.len() {
            self.after(Duration::ZERO, Event::Ask(verifier));
            if self.chance.one_in(2) {
                self.somewhen(|_| Event::Restart(verifier));
            }
        }
        for _ in 0..self.chance.below(4) {
            self.somewhen(|_| Event::Crash);
        }
        if self.chance.one_in(3) {
            self.somewhen(|_| Event::Backup);
            self.somewhen(|_| Event::Restore);
        }
        if self.chance.one_in(3) {
            let hours = i64::try_from(1 + self.chance.below(30)).unwrap();
            self.somewhen(|_| Event::ClockJumps(hours * 3_600_000_000));
        }
        if self.chance.one_in(3) {
            self.somewhen(|_| Event::RevokeKey);
        }
        self.after(Duration::ZERO, Event::Sync);
        self.after(MINUTE, Event::Trim);
        self.after(MINUTE, Event::Keys);
    }

    fn somewhen(&mut self, event: impl Fn(&Self) -> Event) {
        let at = self.span(Duration::ZERO, TROUBLE);
        let event = event(self);
        self.after(at, event);
    }

    pub fn span(&mut self, from: Duration, to: Duration) -> Duration {
        self.chance.between(from, to)
    }

    pub fn after(&mut self, span: Duration, event: Event) {
        self.serial += 1;
        let at = u64::try_from((self.now + span).as_micros()).unwrap();
        self.queue.push(Reverse(Due(at, self.serial, event)));
    }

    pub fn is_quiet(&self) -> bool {
        self.now > TROUBLE
    }

    /// Whether this is in the last minutes of a schedule.
    pub fn began_last(&self, at: Duration) -> bool {
        at > TROUBLE + QUIET - LAST
    }

    /// One time in `n` while things go wrong.
    pub fn fails(&mut self, n: usize) -> bool {
        !self.is_quiet() && self.chance.one_in(n)
    }

    /// The clock of a replica; it sets positions in the log, too.
    pub fn clock(&self, replica: usize) -> Timestamp {
        let off = self.replicas[replica % self.replicas.len()];
        Timestamp::from_micros(START.plus(self.now).micros() + off)
    }

    pub fn any_replica(&mut self) -> usize {
        self.chance.below(self.replicas.len())
    }

    /// # Errors
    /// What was violated first, the seed, and the last that happened before.
    pub fn play(mut self) -> Result<Counts, String> {
        while let Some(Reverse(Due(at, _, event))) = self.queue.pop() {
            let at = Duration::from_micros(at);
            if at > TROUBLE + QUIET {
                break;
            }
            self.now = at;
            self.note(&event);
            self.happen(event);
            if self.failure.is_some() {
                break;
            }
        }
        if self.failure.is_none() {
            self.look_back();
        }
        let Some(failure) = self.failure else { return Ok(self.counts) };
        if !self.traces {
            let mut again = Self::new(self.seed, self.flaw);
            again.traces = true;
            return again.play();
        }
        let mut text = format!("seed {}, {:?}: {failure}\n", self.seed, self.flaw);
        for line in self.trace.iter().rev().take(25).rev() {
            writeln!(text, "  {line}").unwrap();
        }
        writeln!(text, "COUNTERSIGN_SIMULATOR_SEED={} repeats it", self.seed).unwrap();
        Err(text)
    }

    fn note(&mut self, event: &Event) {
        if self.talks {
            println!("{:>12.3} {event:?}", self.now.as_secs_f64());
        }
        // Most schedules are never read: one that fails is run again for its trace.
        if !self.traces {
            return;
        }
        if self.trace.len() >= 400 {
            self.trace.drain(..200);
        }
        let mut name = String::new();
        if !matches!(event, Event::Sync) {
            write!(name, "{:.3} ", self.now.as_secs_f64()).unwrap();
            match event {
                Event::Hear(at, _) => write!(name, "Hear({at})"),
                Event::Save(read) => write!(name, "Save({:?})", read.request),
                other => write!(name, "{other:?}"),
            }
            .unwrap();
            self.trace.push(name);
        }
    }

    pub fn fail(&mut self, what: impl Debug) {
        self.failure.get_or_insert_with(|| format!("{what:?}"));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake(client) => self.wake(client),
            Event::Thief(client) => self.thief(client),
            Event::Steal(client) => self.steal(client),
            Event::Arrive(request) => self.arrive(*request),
            Event::Save(read) => self.save(*read),
            Event::Answer(reply) => self.answer(reply),
            Event::Sync => self.sync(),
            Event::Crash => self.crash(),
            Event::Backup => self.database.backup.clone_from(&self.database.durable),
            Event::Restore => self.restore(),
            Event::Revoke(client, everywhere) => self.revoke(client, everywhere),
            Event::Rights(client) => self.change_rights(client),
            Event::RevokeKey => self.revoke_key(),
            Event::ClockJumps(by) => self.clock_jumps(by),
            Event::Trim => self.trim(),
            Event::Keys => self.rotate_keys(),
            Event::Ask(verifier) => self.ask(verifier),
            Event::Hear(verifier, message) => self.hear(verifier, *message),
            Event::Look(verifier) => self.look(verifier),
            Event::Restart(verifier) => self.verifiers[verifier] = Verifier::new(self),
        }
    }

    /// An answer that may leave once everything before it is on the disk.
    pub fn once_durable(&mut self, event: Event) {
        if self.flaw == Flaw::AnswersBeforeSync {
            return self.depart(event);
        }
        self.waiting.push(event);
        self.sync_soon();
    }

    /// The disk takes a moment.
    pub fn sync_soon(&mut self) {
        let takes = self.span(Duration::from_millis(1), Duration::from_millis(200));
        self.after(takes, Event::Sync);
    }

    fn depart(&mut self, event: Event) {
        if self.fails(10) {
            self.counts.lost += 1;
            return;
        }
        let way = self.span(SECOND / 100, SECOND);
        self.after(way, event);
    }

    pub fn sync(&mut self) {
        self.database.sync();
        for event in std::mem::take(&mut self.waiting) {
            self.depart(event);
        }
        for client in std::mem::take(&mut self.ending) {
            self.clients[client].ended = Some(self.now);
        }
        for client in std::mem::take(&mut self.changing) {
            self.clients[client].changed = Some((self.database.durable.rights[client].version, self.now));
        }
        self.ring.synced(self.now);
    }

    fn crash(&mut self) {
        self.counts.crashes += 1;
        self.counts.lost += self.waiting.len() as u64;
        self.database.crash();
        self.waiting.clear();
        // Nobody heard of these; whoever asked asks again.
        for client in std::mem::take(&mut self.ending) {
            self.after(SECOND, Event::Revoke(client, false));
        }
        for client in std::mem::take(&mut self.changing) {
            self.after(SECOND, Event::Rights(client));
        }
        if self.ring.crashed() {
            self.after(SECOND, Event::RevokeKey);
        }
        if self.database.mark.is_above(self.database.rows.mark()) {
            self.fail("a crash alone takes the database behind its mark");
        }
    }

    fn restore(&mut self) {
        // The issuer raises the log's time every second, so that the mark is above any older backup.
        self.database.rows.tick(self.clock(0));
        self.sync();
        self.crash();
        if self.database.restore() && self.flaw != Flaw::ForgetsTheMark {
            self.counts.restores += 1;
            let clock = self.clock(0);
            self.database.accept(clock);
            self.replace_keys(clock);
            self.clients.iter_mut().for_each(Client::restored);
            self.ring.restored();
        }
        self.confirmed = Confirmed::new(Some(self.database.rows.passed), self.database.rows.t, self.now);
        self.ring.reload(&self.database.durable.keys);
    }

    fn revoke(&mut self, client: usize, everywhere: bool) {
        let clock = self.clock(0);
        let at_exp = clock.plus(TTL).plus(2 * SECOND).secs();
        let user = self.clients[client].user.clone();
        let sid = self.clients[client].sid.clone();
        let rows = &mut self.database.rows;
        if everywhere {
            let rsn = rows.append(Entry::user(SCOPE, &user, clock.plus(2 * SECOND), TTL), clock);
            rows.session(client).min_rsn.user = rsn;
        } else {
            rows.append(Entry::session(SCOPE, sid.as_str(), at_exp), clock);
            rows.session(client).revoked = true;
        }
        if self.flaw == Flaw::RefreshesTheRevoked {
            rows.session(client).revoked = false;
            rows.session(client).min_rsn.user = Default::default();
        }
        self.clients[client].ending = true;
        self.ending.push(client);
        self.sync_soon();
    }

    /// Tokens that carry the old rights are over; the session goes on.
    fn change_rights(&mut self, client: usize) {
        let clock = self.clock(0);
        let entry = Entry::user(SCOPE, &self.clients[client].user, clock.plus(2 * SECOND), TTL);
        let rows = &mut self.database.rows;
        let rights = &mut Rc::make_mut(&mut rows.rights)[client];
        rights.version += 1;
        if self.flaw != Flaw::KeepsOldRights {
            let rsn = rows.append(entry, clock);
            Rc::make_mut(&mut rows.rights)[client].token_rsn.user = rsn;
        }
        self.changing.push(client);
        self.counts.rights_changed += 1;
        self.sync_soon();
    }

    /// The clock by which rows are trimmed jumps ahead, and is set right some time later.
    fn clock_jumps(&mut self, by: i64) {
        self.jumped = if self.jumped == 0 { by } else { 0 };
        if self.jumped > 0 {
            let until = self.span(2 * MINUTE, 60 * MINUTE);
            self.after(until, Event::ClockJumps(0));
        }
    }

    fn trim(&mut self) {
        self.after(MINUTE, Event::Trim);
        let clock = Timestamp::from_micros(self.clock(0).micros() + self.jumped);
        let passed = self.confirmed.at(self.database.rows.passed, clock, self.now);
        let until = if self.flaw == Flaw::TrimsByTheClock { clock } else { passed };
        self.database.rows.passed = passed;
        let before = self.database.rows.log.len();
        let stays = |(_, entry): &(_, Entry)| countersign_server::domain::feed::counts(entry.exp, until.secs());
        if !self.database.rows.log.iter().all(stays) {
            Rc::make_mut(&mut self.database.rows.log).retain(stays);
        }
        self.counts.trimmed += (before - self.database.rows.log.len()) as u64;
        self.sync_soon();
    }

    /// When all is over: who is where they should be?
    fn look_back(&mut self) {
        for client in 0..self.clients.len() {
            self.client_ends_well(client);
        }
        for verifier in 0..self.verifiers.len() {
            self.verifier_ends_well(verifier);
        }
        self.ring_ends_well();
    }
}
