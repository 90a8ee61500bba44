//! One run of one row: its seed, its iterations, what was violated.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use countersign_verify::{Profile, Verifier};

use crate::{
    checker,
    dice::Dice,
    history::{Call, Event, History},
    people::{Crowd, Replica, World},
    site::{GRACE, Site},
};

/// A row of security.md's fault matrix.
pub struct Row {
    pub name: &'static str,
    /// What is broken.
    pub breaks: &'static str,
    /// Iterations in the test command, and on demand.
    pub short: usize,
    pub long: usize,
    pub play: fn(&mut Round),
}

/// What a run saw.
#[derive(Debug, Default)]
pub struct Round {
    pub seed: u64,
    pub iterations: usize,
    calls: usize,
    /// Links of mails that were used.
    links: usize,
    codes: usize,
    violations: Vec<String>,
    notes: Vec<String>,
}

impl Round {
    pub fn new(seed: u64, iterations: usize) -> Self {
        Self { seed, iterations, ..Self::default() }
    }

    /// The dice of one iteration: it can be played alone.
    pub const fn dice(&self, iteration: usize) -> Dice {
        Dice::new(self.seed.wrapping_mul(0x1_0000).wrapping_add(iteration as u64))
    }

    /// A violation, unless this is true.
    pub fn expect(&mut self, is_true: bool, what: impl fmt::Display) {
        if !is_true {
            self.violations.push(what.to_string());
        }
    }

    /// Something worth a number at the end.
    pub fn note(&mut self, what: impl fmt::Display) {
        self.notes.push(what.to_string());
    }

    /// What clients saw must be explained by a correct issuer.
    pub fn judge(&mut self, history: &History) {
        self.judge_events(&history.events());
    }

    /// The same of events that a row has looked at before.
    pub fn judge_events(&mut self, events: &[Event]) {
        self.calls += events.len();
        let done = events.iter().filter(|event| event.outcome.is_done());
        for event in done {
            match event.call {
                Call::UseLink { .. } => self.links += 1,
                Call::UseCode { .. } => self.codes += 1,
                _ => {}
            }
        }
        let found = checker::check(events, GRACE);
        self.violations.extend(found.iter().map(|one| format!("{}: {}", one.invariant, one.what)));
    }

    /// The end of an iteration: everybody must be served again, and the history be good.
    pub fn settle(&mut self, crowd: Crowd, world: &World) {
        let left_out = crowd.settle();
        self.expect(left_out.is_empty(), format!("I-11: not served again: {left_out:?}"));
        self.judge(&world.history);
    }

    pub fn violations(&self) -> usize {
        self.violations.len()
    }

    pub fn report(&self, row: &str, took: Duration) -> String {
        let Self { seed, iterations, calls, links, codes, violations, notes } = self;
        let mut text = format!(
            "chaos {row:<18} seed {seed}  iterations {iterations:<4} calls {calls:<6} links {links:<3} codes {codes:<3} violations {}  {:.1} s  {}",
            violations.len(),
            took.as_secs_f64(),
            notes.join(", ")
        );
        for violation in violations.iter().take(20) {
            text += &format!("\n  {violation}");
        }
        text
    }
}

/// Clients of one site, without a verifier.
pub fn world(site: &Site) -> World {
    world_of(&[site], None)
}

/// Clients of sites that are replicas of one issuer.
pub fn world_of(sites: &[&Site], verifier: Option<Verifier>) -> World {
    let replica = |site: &&Site| Replica { address: site.address, socket: site.socket() };
    World {
        history: Arc::new(History::default()),
        replicas: Arc::new(sites.iter().map(replica).collect()),
        verifier,
        asks: true,
        changes: true,
        links: false,
        codes: false,
        pace: Duration::from_millis(3),
        stop: Arc::default(),
        done: Arc::default(),
    }
}

/// A strict verifier of an issuer, with a runtime to follow the feed on.
pub struct Follower {
    runtime: tokio::runtime::Runtime,
}

impl Follower {
    pub fn new() -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        Self { runtime: runtime.worker_threads(1).enable_all().build().unwrap() }
    }

    /// A verifier that has heard from the issuer once.
    pub fn follow(&self, issuer: &str) -> Verifier {
        let verifier = self.begin(issuer);
        self.runtime.block_on(verifier.ready()).unwrap();
        verifier
    }

    /// A verifier that has not heard anything yet.
    pub fn begin(&self, issuer: &str) -> Verifier {
        self.runtime.block_on(async {
            let builder = Verifier::builder(issuer).audience("api").profile(Profile::Strict);
            // Rows that replace keys do not wait for half a minute.
            builder.refetch_cooldown(Duration::from_secs(1)).build().unwrap()
        })
    }
}

/// What a thread that panicked said.
pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Rows that are still to be played, for several threads.
#[derive(Debug)]
pub struct Queue<T>(Mutex<Vec<T>>);

impl<T> Queue<T> {
    pub fn new(mut items: Vec<T>) -> Self {
        items.reverse();
        Self(Mutex::new(items))
    }

    pub fn next(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// How many calls were done so far.
pub fn done(world: &World) -> usize {
    world.done.load(Ordering::SeqCst)
}
