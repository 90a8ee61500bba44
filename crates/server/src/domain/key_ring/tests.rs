//! The rules against a model: one database, replicas with stale snapshots that crash half-way, verifiers with caches.

use proptest::prelude::*;

use super::*;

const SLOT: Slot = Slot::token(Algorithm::ES256);
/// With the skew just above the shortest time that a key is retained.
const TTL_CAP: Duration = Duration::from_secs(3600);
/// A replica reloads every few seconds; this is a bad day.
const REPLICA_LAG: Duration = Duration::from_secs(30);

fn policy() -> Policy {
    Policy::new(PolicySettings {
        rotate_every: Duration::from_secs(1800),
        publish_for: JWKS_MAX_AGE + SKEW,
        wait_for_verifiers: Duration::from_secs(7200),
        access_token_ttl_cap: TTL_CAP,
        refresh_lifetime_cap: TTL_CAP,
    })
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn key(kid: &str, state: KeyState) -> RingKey {
    RingKey { kid: kid.to_owned(), slot: SLOT, state }
}

fn activate(kid: &str, retire: &str) -> Transition {
    Transition::Activate { kid: kid.to_owned(), retire: retire.to_owned() }
}

/// What the store's guarded statements do, one transition each.
#[derive(Debug, Clone, Default)]
struct Database {
    keys: Vec<RingKey>,
}

impl Database {
    fn state(&mut self, kid: &str) -> Option<&mut KeyState> {
        self.keys.iter_mut().find(|key| key.kid == kid).map(|key| &mut key.state)
    }

    fn apply(&mut self, transition: &Transition, now: Timestamp) {
        match transition {
            Transition::Stage { slot } => {
                if successor(&self.keys, *slot).is_none() {
                    let kid = format!("k{}", self.keys.len());
                    self.keys.push(RingKey { kid, slot: *slot, state: KeyState::Staged });
                }
            }
            Transition::Publish { kid } => {
                if let Some(state @ KeyState::Staged) = self.state(kid) {
                    *state = KeyState::Published { since: now };
                }
            }
            Transition::Activate { kid, retire } => {
                let ready = matches!(self.state(kid), Some(KeyState::Published { .. }));
                let current = matches!(self.state(retire), Some(KeyState::Active { .. }));
                if ready && current {
                    *self.state(retire).unwrap() = KeyState::Retiring { since: now };
                    *self.state(kid).unwrap() = KeyState::Active { since: now };
                }
            }
            Transition::Remove { kid } => {
                if let Some(state @ KeyState::Retiring { .. }) = self.state(kid) {
                    *state = KeyState::Removed;
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Clock(i64),
    Reload(usize),
    /// A replica carries out what it thinks is due, and crashes before the transitions whose bit is unset.
    Tick(usize, u8),
    Rotate,
    Sign(usize),
    Fetch(usize, usize),
}

fn step(clock_steps: bool) -> impl Strategy<Value = Step> {
    let clock = if clock_steps { (-100_000..100_000_i64).boxed() } else { Just(0).boxed() };
    prop_oneof![
        2 => (0..REPLICA_LAG.as_secs()).prop_map(Step::Wait),
        2 => (0..600_u64).prop_map(Step::Wait),
        1 => clock.prop_map(Step::Clock),
        2 => (0..3_usize).prop_map(Step::Reload),
        4 => (0..3_usize, any::<u8>()).prop_map(|(replica, bits)| Step::Tick(replica, bits)),
        1 => Just(Step::Rotate),
        4 => (0..3_usize).prop_map(Step::Sign),
        1 => (0..2_usize, 0..3_usize).prop_map(|(verifier, replica)| Step::Fetch(verifier, replica)),
    ]
}

/// A copy of something, and when it was made on the monotonic clock.
#[derive(Debug, Clone)]
struct Copied<T> {
    value: T,
    at: Duration,
}

struct World {
    database: Database,
    uptime: Duration,
    wall: Timestamp,
    replicas: Vec<Copied<Vec<RingKey>>>,
    verifiers: Vec<Copied<Vec<String>>>,
    /// `kid` and expiry of every token signed.
    tokens: Vec<(String, Timestamp)>,
}

impl World {
    fn new() -> Self {
        let keys = vec![key("first", KeyState::Active { since: at(1_000_000) })];
        let replica = Copied { value: keys.clone(), at: Duration::ZERO };
        let verifier = Copied { value: vec!["first".to_owned()], at: Duration::ZERO };
        Self {
            database: Database { keys },
            uptime: Duration::ZERO,
            wall: at(1_000_000),
            replicas: vec![replica; 3],
            verifiers: vec![verifier; 2],
            tokens: Vec::new(),
        }
    }

    fn wait(&mut self, secs: u64) {
        for _ in 0..secs / 10 {
            self.wait_briefly(10);
        }
        self.wait_briefly(secs % 10);
    }

    fn wait_briefly(&mut self, secs: u64) {
        self.uptime += Duration::from_secs(secs);
        self.wall = self.wall.plus(Duration::from_secs(secs));
        for replica in 0..self.replicas.len() {
            if self.uptime - self.replicas[replica].at >= REPLICA_LAG {
                self.reload(replica);
            }
        }
        for verifier in 0..self.verifiers.len() {
            if self.uptime - self.verifiers[verifier].at >= JWKS_MAX_AGE {
                self.fetch(verifier, verifier);
            }
        }
    }

    fn reload(&mut self, replica: usize) {
        self.replicas[replica] = Copied { value: self.database.keys.clone(), at: self.uptime };
    }

    fn fetch(&mut self, verifier: usize, replica: usize) {
        let keys = self.replicas[replica].value.iter().filter(|key| key.state.is_public());
        self.verifiers[verifier] = Copied { value: keys.map(|key| key.kid.clone()).collect(), at: self.uptime };
    }

    fn sign(&mut self, replica: usize) -> String {
        let kid = active(&self.replicas[replica].value, SLOT).expect("a replica always has a signer").kid.clone();
        self.tokens.push((kid.clone(), self.wall.plus(TTL_CAP)));
        kid
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Wait(secs) => self.wait(secs),
            Step::Clock(secs) => self.wall = Timestamp::from_secs(self.wall.secs() + secs),
            Step::Reload(replica) => self.reload(replica),
            Step::Tick(replica, bits) => {
                let due = plan(&self.replicas[replica].value, self.wall, &policy(), &[]);
                for (index, transition) in due.iter().enumerate() {
                    if bits & (1 << (index % 8)) != 0 {
                        self.database.apply(transition, self.wall);
                    }
                }
            }
            Step::Rotate => self.database.apply(&Transition::Stage { slot: SLOT }, self.wall),
            Step::Sign(replica) => _ = self.sign(replica),
            Step::Fetch(verifier, replica) => self.fetch(verifier, replica),
        }
    }
}

fn rank(state: KeyState) -> usize {
    let order = ["staged", "published", "active", "retiring", "removed"];
    order.iter().position(|word| *word == state.as_str()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// KEY-02, KEY-03, I-9: whatever crashes and whoever lags, a verifier that obeys `max-age` always has the key.
    #[test]
    fn no_verifier_ever_misses_a_key(steps in prop::collection::vec(step(false), 0..1500)) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
            if let Step::Sign(replica) = step {
                let kid = world.sign(*replica);
                for verifier in &world.verifiers {
                    prop_assert!(verifier.value.contains(&kid), "signed with {kid} before a verifier could know it");
                }
            }
            let now = world.wall;
            world.tokens.retain(|(_, exp)| *exp > now);
            for (kid, _) in &world.tokens {
                for verifier in &world.verifiers {
                    prop_assert!(verifier.value.contains(kid), "{kid} left the JWKS before its last token expired");
                }
            }
            prop_assert_eq!(check(&world.database.keys), Ok(()));
        }
    }

    /// KEY-03, I-6: under any clock a slot has exactly one active key, a key never moves back, and what signs is public.
    #[test]
    fn any_clock_moves_keys_forward_only(steps in prop::collection::vec(step(true), 0..800)) {
        let mut world = World::new();
        for step in &steps {
            let before = world.database.clone();
            world.run(step);
            prop_assert_eq!(check(&world.database.keys), Ok(()));
            for (old, new) in before.keys.iter().zip(&world.database.keys) {
                prop_assert!(rank(new.state) >= rank(old.state));
                prop_assert!(rank(new.state) <= rank(old.state) + 1, "no state is skipped");
            }
            prop_assert!(active(&world.database.keys, SLOT).is_some_and(|key| key.state.is_public()));
        }
    }
}

#[test]
fn a_key_lives_through_every_state_in_time() {
    // KEY-02
    let policy = policy();
    let mut database = Database { keys: vec![key("old", KeyState::Active { since: at(0) })] };
    let publish_for = policy.spans(Purpose::Token).publish_for.as_secs().cast_signed();
    let staged_at = 1800 - publish_for;

    assert_eq!(plan(&database.keys, at(staged_at - 1), &policy, &[]), []);
    assert_eq!(plan(&database.keys, at(staged_at), &policy, &[]), [Transition::Stage { slot: SLOT }]);
    database.apply(&Transition::Stage { slot: SLOT }, at(staged_at));

    let publish = Transition::Publish { kid: "k1".to_owned() };
    assert_eq!(plan(&database.keys, at(staged_at), &policy, &[]), std::slice::from_ref(&publish));
    database.apply(&publish, at(staged_at));

    assert_eq!(plan(&database.keys, at(1799), &policy, &[]), []);
    assert_eq!(plan(&database.keys, at(1800), &policy, &[]), [activate("k1", "old")]);
    database.apply(&activate("k1", "old"), at(1800));

    let removed_at = 1800 + 3600 + SKEW.as_secs().cast_signed();
    let remove = Transition::Remove { kid: "old".to_owned() };
    assert!(!plan(&database.keys, at(removed_at - 1), &policy, &[]).contains(&remove));
    assert!(plan(&database.keys, at(removed_at), &policy, &[]).contains(&remove));
}

#[test]
fn a_clock_that_steps_back_only_delays() {
    // I-6
    let keys = [key("old", KeyState::Active { since: at(0) }), key("new", KeyState::Published { since: at(5000) })];
    assert_eq!(plan(&keys, at(10), &policy(), &[]), []);
    assert_eq!(plan(&keys, at(5000 + 359), &policy(), &[]), []);
    assert_eq!(plan(&keys, at(5000 + 360), &policy(), &[]), [activate("new", "old")]);
}

#[test]
fn a_ring_without_exactly_one_active_key_is_damaged() {
    // KEY-03, KEY-08
    let retiring = key("a", KeyState::Retiring { since: at(0) });
    let active = |kid| key(kid, KeyState::Active { since: at(0) });
    assert_eq!(check(&[]), Ok(()));
    assert_eq!(check(&[active("a")]), Ok(()));
    assert_eq!(check(std::slice::from_ref(&retiring)), Err(Damaged { slot: SLOT, active: 0 }));
    assert_eq!(check(&[active("a"), active("b"), retiring]), Err(Damaged { slot: SLOT, active: 2 }));
    assert_eq!(
        plan(&[key("a", KeyState::Staged)], at(1), &policy(), &[]),
        [],
        "nothing is guessed about a damaged ring"
    );
}

#[test]
fn the_policy_keeps_its_promises_for_any_setting() {
    // KEY-02, TOK-23
    let eager = Policy::new(PolicySettings {
        rotate_every: Duration::ZERO,
        publish_for: Duration::ZERO,
        wait_for_verifiers: Duration::ZERO,
        access_token_ttl_cap: Duration::from_secs(1),
        refresh_lifetime_cap: Duration::from_secs(1),
    });
    let token = eager.spans(Purpose::Token);
    assert!(token.publish_for >= JWKS_MAX_AGE + SKEW);
    assert!(token.rotate_every >= token.publish_for);
    assert!(token.retain_for >= MIN_RETAIN, "a lowered cap does not orphan the tokens that are out");
    let long = Policy::new(PolicySettings {
        rotate_every: Duration::MAX,
        publish_for: Duration::from_secs(600),
        wait_for_verifiers: Duration::ZERO,
        access_token_ttl_cap: Duration::from_secs(86_400),
        refresh_lifetime_cap: Duration::from_secs(90 * 86_400),
    });
    assert_eq!(long.spans(Purpose::Token).publish_for, Duration::from_secs(600));
    assert!(long.spans(Purpose::Token).retain_for >= Duration::from_secs(86_400) + SKEW);
    assert!(long.spans(Purpose::Refresh).retain_for >= Duration::from_secs(90 * 86_400) + SKEW);
}

// KEY-02
#[test]
fn a_verifier_that_lacks_the_key_is_waited_for_but_not_for_ever() {
    let keys = [key("old", KeyState::Active { since: at(0) }), key("new", KeyState::Published { since: at(5000) })];
    let (published, lagging) = (360, ["new".to_owned()]);
    let at_end = [activate("new", "old")];
    assert_eq!(plan(&keys, at(5000 + published), &policy(), &lagging), []);
    assert_eq!(plan(&keys, at(5000 + published + 7199), &policy(), &lagging), []);
    assert_eq!(plan(&keys, at(5000 + published + 7200), &policy(), &lagging), at_end);
    assert_eq!(plan(&keys, at(5000 + published), &policy(), &["another".to_owned()]), at_end);
    // Whichever is later: that everybody has it shortens nothing.
    assert_eq!(plan(&keys, at(5000 + published - 1), &policy(), &[]), []);
}
