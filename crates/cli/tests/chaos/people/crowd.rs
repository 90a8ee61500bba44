//! Many people at once.

use std::{
    sync::atomic::Ordering,
    thread::{self, JoinHandle},
    time::Duration,
};

use countersign_server::clock::Stopwatch;

use super::{Person, World};
use crate::{dice::Dice, site::PATIENCE};

/// People at work.
pub struct Crowd {
    world: World,
    people: Vec<JoinHandle<Person>>,
}

impl Crowd {
    /// So many people begin.
    pub fn begin(world: &World, count: usize, dice: &mut Dice) -> Self {
        world.stop.store(false, Ordering::SeqCst);
        let people: Vec<_> = (0..count).map(|n| Person::new(world, n, dice.fork())).collect();
        Self::resume(world, people)
    }

    /// The same people go on.
    pub fn resume(world: &World, people: Vec<Person>) -> Self {
        world.stop.store(false, Ordering::SeqCst);
        let people = people.into_iter().map(|mut person| {
            thread::spawn(move || {
                person.live();
                person
            })
        });
        Self { world: world.clone(), people: people.collect() }
    }

    /// Waits until so many further calls were done; false if that takes too long.
    pub fn progress(&self, calls: usize) -> bool {
        progress(&self.world, calls, PATIENCE)
    }

    /// They stop where they are.
    pub fn pause(self) -> Vec<Person> {
        self.world.stop.store(true, Ordering::SeqCst);
        self.people.into_iter().map(|person| person.join().unwrap()).collect()
    }

    /// Everything is well again: each live session must refresh, each ended one be refused, each password work. Returns who
    /// was not served at all.
    pub fn settle(self) -> Vec<String> {
        self.pause().iter_mut().filter_map(Person::settle).collect()
    }
}

/// Waits until so many further calls were done.
pub fn progress(world: &World, calls: usize, patience: Duration) -> bool {
    let (from, begun) = (world.done.load(Ordering::SeqCst), Stopwatch::start());
    while world.done.load(Ordering::SeqCst) < from + calls {
        if begun.elapsed() > patience {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}
