//! Rule A and rule B beside the rules that are published elsewhere: 1,000 sessions each of honest people (two tabs; lost
//! responses) and of thieves (who go their own way; who use the grace once; who shadow every refresh).
//!
//! A and B are the rules of `domain/refresh.rs` themselves. `docs/refresh-simulation.md` is written from this test.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    env, fs,
    path::PathBuf,
    time::Duration,
};

use countersign_server::domain::{
    refresh::{Attempt, Family, Grant, Outcome, Session, decide},
    refresh_token::MacKeys,
    rsn::{MinRsn, Rsn},
    session::{Nonce, Sid},
    time::Timestamp,
};

use crate::random::Chance;

const SESSIONS: usize = 1000;
/// Refreshes of the honest client in one session, unless it ends before.
const ROUNDS: usize = 100;
const GRACE: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Token {
    generation: i64,
    nonce: u64,
}

const FIRST: Token = Token { generation: 0, nonce: 0 };

/// One use of a token; `next` is the successor that a client of rule B names.
#[derive(Debug, Clone, Copy)]
struct Use {
    token: Token,
    next: u64,
    now: Duration,
}

/// The server's side of one session: a new token, or the end of the session.
trait Rule {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token>;
}

/// Every token is good once; anything else ends the session.
struct StrictOneTime(Token);

impl Rule for StrictOneTime {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token> {
        (shown.token == self.0).then(|| {
            self.0 = Token { generation: self.0.generation + 1, nonce: drawn };
            self.0
        })
    }
}

/// A used token makes a further pair for as long as the grace since its first use lasts: branches.
struct NewPairInGrace(HashMap<Token, Option<Duration>>);

impl Rule for NewPairInGrace {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token> {
        let first_used = self.0.get_mut(&shown.token)?;
        if shown.now - *first_used.get_or_insert(shown.now) >= GRACE {
            return None;
        }
        let new = Token { generation: shown.token.generation + 1, nonce: drawn };
        self.0.insert(new, None);
        Some(new)
    }
}

/// The parent is answered with the current token, at any time; an older one ends the session.
struct ParentAlways {
    current: Token,
    parent: Option<Token>,
}

impl Rule for ParentAlways {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token> {
        if shown.token == self.current {
            self.parent = Some(self.current);
            self.current = Token { generation: self.current.generation + 1, nonce: drawn };
        } else if Some(shown.token) != self.parent {
            return None;
        }
        Some(self.current)
    }
}

/// The parent makes a new child, which voids the child before, until a child is used: that confirms it.
struct ConfirmOnFirstUse {
    child: Token,
    parent: Option<Token>,
}

impl Rule for ConfirmOnFirstUse {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token> {
        if shown.token == self.child {
            self.parent = Some(self.child);
        } else if Some(shown.token) != self.parent {
            return None;
        }
        self.child = Token { generation: shown.token.generation + 1, nonce: drawn };
        Some(self.child)
    }
}

/// Rules A and B: the real thing.
struct Ours {
    session: Session,
    keys: MacKeys,
    sid: Sid,
    named: bool,
}

impl Ours {
    fn new(named: bool) -> Self {
        let session = Session {
            client_id: "app".into(),
            dpop_jkt: None,
            revoked: false,
            disabled: false,
            auth_rsn: Rsn::default(),
            min_rsn: MinRsn::default(),
            expires_at: Timestamp::from_micros(i64::MAX),
            idle_expires_at: Timestamp::from_micros(i64::MAX),
            family: Family::new(nonce(FIRST.nonce)),
        };
        let keys = MacKeys::new(1, [(1, &[1; 32][..])]).unwrap();
        Self { session, keys, sid: Sid::new("u", &[0; 16]), named }
    }
}

fn nonce(id: u64) -> Nonce {
    Nonce::new(u128::from(id).to_be_bytes())
}

impl Rule for Ours {
    fn refresh(&mut self, shown: Use, drawn: u64) -> Option<Token> {
        let sealed = self.keys.seal(&self.sid, shown.token.generation, &nonce(shown.token.nonce));
        let presented = self.keys.open(sealed.expose()).unwrap();
        // A rule A client draws nothing; what the server draws stands in for what a rule B client names.
        let id = if self.named { shown.next } else { drawn };
        let new = nonce(id);
        let now = Timestamp::from_secs(1_800_000_000).plus(shown.now);
        let next = self.named.then_some(&new);
        let attempt = Attempt { presented: &presented, client_id: "app", dpop_jkt: None, next, now };
        let Outcome::Grant(grant) = decide(&self.session, &attempt, GRACE) else {
            self.session.revoked = true;
            return None;
        };
        let family = self.session.family.clone().after(grant, &attempt, &new);
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&family.nonce.expose()[8..]);
        let token = Token { generation: family.generation, nonce: u64::from_be_bytes(bytes) };
        self.session.family = family;
        debug_assert!(grant != Grant::Retry || token.nonce == shown.next);
        Some(token)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RuleName {
    StrictOneTime,
    NewPairInGrace,
    ParentAlways,
    ConfirmOnFirstUse,
    A,
    B,
}

impl RuleName {
    const ALL: [Self; 6] =
        [Self::StrictOneTime, Self::NewPairInGrace, Self::ParentAlways, Self::ConfirmOnFirstUse, Self::A, Self::B];

    fn start(self) -> Box<dyn Rule> {
        match self {
            Self::StrictOneTime => Box::new(StrictOneTime(FIRST)),
            Self::NewPairInGrace => Box::new(NewPairInGrace(HashMap::from([(FIRST, None)]))),
            Self::ParentAlways => Box::new(ParentAlways { current: FIRST, parent: None }),
            Self::ConfirmOnFirstUse => Box::new(ConfirmOnFirstUse { child: FIRST, parent: None }),
            Self::A => Box::new(Ours::new(false)),
            Self::B => Box::new(Ours::new(true)),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::StrictOneTime => "strict one-time",
            Self::NewPairInGrace => "new pair inside a grace window",
            Self::ParentAlways => "parent always allowed",
            Self::ConfirmOnFirstUse => "confirm on first use of the child",
            Self::A => "**A: share, replace, kill**",
            Self::B => "**B: successor committed by the client**",
        }
    }

    /// The clients of rule B hold a lock between the tabs, since they must keep `next_nonce` beside the token.
    fn locks_tabs(self) -> bool {
        self == Self::B
    }
}

/// The server of one session, and whether the session has ended.
struct Server {
    rule: Box<dyn Rule>,
    drawn: u64,
    ended: bool,
}

impl Server {
    fn new(rule: RuleName) -> Self {
        Self { rule: rule.start(), drawn: 0, ended: false }
    }

    /// A value that nobody drew before.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    fn refresh(&mut self, shown: Use) -> Option<Token> {
        if self.ended {
            return None;
        }
        let drawn = self.draw();
        let answer = self.rule.refresh(shown, drawn);
        self.ended = answer.is_none();
        answer
    }
}

/// What the tabs of one browser do, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TabEvent {
    /// Reads the shared token and sends it.
    Send,
    /// The request reaches the server.
    Arrive(i64, u64),
    /// The response reaches the tab, which writes it to the shared store.
    Receive(i64, u64),
}

/// Two tabs with one store that refresh at about the same moment, round after round. True if their session ended.
fn two_tabs(rule: RuleName, chance: &mut Chance) -> bool {
    let (mut server, mut stored, mut start) = (Server::new(rule), FIRST, Duration::ZERO);
    for _ in 0..ROUNDS {
        start += chance.between(9 * MINUTE, 10 * MINUTE);
        if rule.locks_tabs() {
            for _ in 0..2 {
                start += chance.between(SECOND / 10, SECOND);
                let next = server.draw();
                let Some(token) = server.refresh(Use { token: stored, next, now: start }) else { return true };
                stored = token;
            }
            continue;
        }
        let mut events = BinaryHeap::new();
        for _ in 0..2 {
            events.push(Reverse((start + chance.between(Duration::ZERO, 2 * SECOND), TabEvent::Send)));
        }
        while let Some(Reverse((now, event))) = events.pop() {
            let later = now + chance.between(SECOND / 50, 2 * SECOND);
            match event {
                TabEvent::Send => events.push(Reverse((later, TabEvent::Arrive(stored.generation, stored.nonce)))),
                TabEvent::Arrive(generation, nonce) => {
                    let token = Token { generation, nonce };
                    let Some(new) = server.refresh(Use { token, next: 0, now }) else { return true };
                    events.push(Reverse((later, TabEvent::Receive(new.generation, new.nonce))));
                }
                TabEvent::Receive(generation, nonce) => stored = Token { generation, nonce },
            }
        }
    }
    false
}

/// One client that loses every fifth response and tries again with what it has: within the grace, or minutes later.
fn lost_responses(rule: RuleName, chance: &mut Chance) -> bool {
    let (mut server, mut stored, mut now) = (Server::new(rule), FIRST, Duration::ZERO);
    for _ in 0..ROUNDS {
        now += chance.between(9 * MINUTE, 10 * MINUTE);
        let next = server.draw();
        loop {
            let Some(token) = server.refresh(Use { token: stored, next, now }) else { return true };
            if !chance.one_in(5) {
                stored = token;
                break;
            }
            let (from, to) = if chance.one_in(2) { (SECOND, 8 * SECOND) } else { (MINUTE / 2, 10 * MINUTE) };
            now += chance.between(from, to);
        }
    }
    false
}

/// How a thief uses a stolen copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thief {
    /// On a timer of its own.
    Independent,
    /// Once right after the owner's refresh, then on a timer of its own.
    OnceInsideGrace,
    /// Right after each of the owner's refreshes.
    Shadow,
}

/// An owner who refreshes on a timer, and a thief who copied the token at some moment. True if the session ended.
fn stolen(rule: RuleName, thief: Thief, chance: &mut Chance) -> bool {
    let mut server = Server::new(rule);
    let (mut owner, mut copy) = (FIRST, None);
    let (mut now, mut thiefs_turn) = (Duration::ZERO, Duration::MAX);
    let theft = 5 + chance.below(10);
    for round in 0..ROUNDS {
        let owners_turn = now + chance.between(9 * MINUTE, 10 * MINUTE);
        while thiefs_turn < owners_turn {
            if !use_copy(&mut server, &mut copy, thiefs_turn) {
                return true;
            }
            thiefs_turn += chance.between(9 * MINUTE, 10 * MINUTE);
        }
        now = owners_turn;
        let before = owner;
        let next = server.draw();
        let Some(token) = server.refresh(Use { token: owner, next, now }) else { return true };
        owner = token;
        if round == theft {
            copy = Some(if thief == Thief::Independent { owner } else { before });
        }
        let inside = now + chance.between(SECOND / 10, 8 * SECOND);
        match thief {
            Thief::Independent if round == theft => thiefs_turn = now + chance.between(Duration::ZERO, 10 * MINUTE),
            Thief::OnceInsideGrace if round == theft => thiefs_turn = inside,
            Thief::Shadow if round >= theft && !use_copy(&mut server, &mut copy, inside) => return true,
            _ => {}
        }
    }
    false
}

/// The thief uses its copy and keeps what it gets; false if that ended the session.
fn use_copy(server: &mut Server, copy: &mut Option<Token>, now: Duration) -> bool {
    let Some(token) = *copy else { return true };
    let next = server.draw();
    *copy = server.refresh(Use { token, next, now });
    copy.is_some()
}

/// Of 1,000 sessions each: how many ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ended {
    tabs: usize,
    lost: usize,
    independent: usize,
    once: usize,
    shadow: usize,
}

fn measure(rule: RuleName) -> Ended {
    let mut chance = Chance::new(2026);
    let mut count = |story: &dyn Fn(&mut Chance) -> bool| (0..SESSIONS).filter(|_| story(&mut chance)).count();
    Ended {
        tabs: count(&|chance| two_tabs(rule, chance)),
        lost: count(&|chance| lost_responses(rule, chance)),
        independent: count(&|chance| stolen(rule, Thief::Independent, chance)),
        once: count(&|chance| stolen(rule, Thief::OnceInsideGrace, chance)),
        shadow: count(&|chance| stolen(rule, Thief::Shadow, chance)),
    }
}

const PAGE: &str = "\
# Refresh rules, simulated

Written by `crates/server/tests/models/simulation.rs`, which runs with every test of the project; rules A and B are the code of
`crates/server/src/domain/refresh.rs` itself.

1,000 sessions of 100 refreshes each, 9 to 10 minutes apart, with a grace of 10 seconds. *Tabs*: two tabs with one stored token
refresh within two seconds of each other, over a network that takes up to two seconds each way, and each writes what it gets. *Lost
response*: every fifth answer is lost; the client tries again with what it has, half of the time within the grace, half of the time minutes
later. The thief copies the token once, and then *independent*: refreshes on a timer of its own; *once inside the grace*: first right after the
owner, then on its own timer; *shadowing*: right after each refresh of the owner.

A good rule has zeros in the first two columns and 1000 in the others.

| rule | honest people signed out: tabs | lost response | thief caught: independent | once inside the grace | shadowing every refresh |
|---|---|---|---|---|---|
";

const NOTES: &str = "
The others: *strict one-time*: a used token ends the session. *New pair inside a grace window*: a used token makes a further pair while the
grace lasts. *Parent always allowed*: the token before the current one gets the current one, at any time. *Confirm on first use*: the parent makes a new
child, which voids the child before, until a child is used.

Two programs that keep private copies of one token and refresh on timers of their own are, to any server, the column *independent*: one
of them is taken for a thief. Rule A does not see who shadows every refresh; it counts the shares and writes a security event. Rule B and
keys bound to the client (DPoP) do see it.
";

fn row(rule: RuleName, ended: Ended) -> String {
    let Ended { tabs, lost, independent, once, shadow } = ended;
    format!("| {} | {tabs} | {lost} | {independent} | {once} | {shadow} |\n", rule.title())
}

// REF-04 to REF-06: nobody honest is signed out, thieves are; and what the other rules do instead.
#[test]
fn rules_a_and_b_sign_out_thieves_and_nobody_else() {
    let measured = RuleName::ALL.map(|rule| (rule, measure(rule)));
    let rows: String = measured.iter().map(|(rule, ended)| row(*rule, *ended)).collect();
    println!("{rows}");
    for (rule, ended) in measured {
        let honest = [ended.tabs, ended.lost];
        let thieves = [ended.independent, ended.once, ended.shadow];
        let (most, all) = (SESSIONS * 9 / 10, SESSIONS);
        match rule {
            RuleName::StrictOneTime => {
                assert!(honest.iter().all(|ended| *ended > most), "{ended:?}");
                assert_eq!(thieves, [all; 3]);
            }
            RuleName::NewPairInGrace => {
                assert!(ended.tabs == 0 && ended.lost > most && ended.independent > most, "{ended:?}");
                assert_eq!([ended.once, ended.shadow], [0, 0], "a thief inside the grace stays for ever");
            }
            RuleName::ParentAlways => {
                assert_eq!((honest, ended.shadow), ([0, 0], 0));
                assert!(ended.independent < all && ended.once < all, "{ended:?}");
            }
            RuleName::ConfirmOnFirstUse => {
                assert!(ended.tabs > most && ended.lost == 0, "{ended:?}");
                assert_eq!(thieves, [all; 3]);
            }
            RuleName::A => assert_eq!((honest, thieves), ([0, 0], [all, all, 0])),
            RuleName::B => assert_eq!((honest, thieves), ([0, 0], [all; 3])),
        }
    }
    check_page(&format!("{PAGE}{rows}{NOTES}"));
}

/// Compares the page of the book with what was measured; `cargo xtask docs` writes it instead.
fn check_page(wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/refresh-simulation.md");
    if env::var_os("COUNTERSIGN_TEST_UPDATE").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/refresh-simulation.md is not what was measured; run `cargo xtask docs`");
}
