//! Honest clients: each belongs to one person, who signs in here and there, refreshes, signs out, changes the password. After
//! a failure they do what a good client does: the same again.

mod codes;
mod crowd;
mod links;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, UNIX_EPOCH},
};

use countersign_jose::b64;
use countersign_server::{clock::Stopwatch, domain::time::Timestamp};
use countersign_verify::{Rejection, Verifier};
use serde_json::json;

pub use self::{
    crowd::{Crowd, progress},
    links::reset_link,
};

use self::codes::Shop;

use crate::{
    dice::Dice,
    history::{Call, Given, History, Lease, Outcome},
    site::PATIENCE,
    wire::{Answer, Request, outcome},
};

/// Sessions of one person at one time.
const SESSIONS: usize = 3;
/// Ended sessions that are tried again now and then.
const REMEMBERED: usize = 12;

/// Where the issuer is, and who checks its tokens.
#[derive(Debug, Clone)]
pub struct World {
    pub history: Arc<History>,
    pub replicas: Arc<Vec<Replica>>,
    pub verifier: Option<Verifier>,
    /// Whether people ask if their access tokens are good.
    pub asks: bool,
    /// Whether they set other passwords. Not where others of the same names come after them, who know nothing of that.
    pub changes: bool,
    /// Whether they ask for links by mail that set a password, and follow them.
    pub links: bool,
    /// Whether they sign in to another client with authorization codes, and somebody tries a code again.
    pub codes: bool,
    /// Between two calls of one person.
    pub pace: Duration,
    pub stop: Arc<AtomicBool>,
    /// Calls that were answered as wished.
    pub done: Arc<AtomicUsize>,
}

/// One process of the issuer.
#[derive(Debug)]
pub struct Replica {
    pub address: std::net::SocketAddr,
    pub socket: PathBuf,
}

/// A session as its client keeps it.
#[derive(Debug, Clone)]
struct Held {
    sid: String,
    /// How its client says who it is.
    client: String,
    refresh: String,
    access: String,
    /// Rule B: the client commits itself to the successor, and two of its windows may refresh at once.
    committed: bool,
    /// The request that was written down before it was sent, until its answer is here.
    pending: Option<String>,
}

/// One person with everything they hold.
pub struct Person {
    world: World,
    name: String,
    dice: Dice,
    /// The one that was last seen to work, or to be set, and those that may have been set since.
    passwords: Vec<u32>,
    newest: u32,
    registered: bool,
    alive: Vec<Held>,
    ended: VecDeque<Held>,
    /// Links of mails that were used, or may have been, each with the password that it was to set.
    links: Vec<(String, u32)>,
    /// Authorization codes that were used, or may have been.
    codes: Vec<(Shop, String)>,
    shop: Option<Shop>,
}

impl Person {
    fn new(world: &World, number: usize, dice: Dice) -> Self {
        let (alive, ended) = (Vec::new(), VecDeque::new());
        let name = format!("user{number}");
        let (world, passwords, links, codes) = (world.clone(), vec![0], Vec::new(), Vec::new());
        Self { world, name, dice, passwords, newest: 0, registered: false, alive, ended, links, codes, shop: None }
    }

    fn live(&mut self) {
        while !self.world.stop.load(Ordering::SeqCst) {
            let outcome = self.act();
            if outcome.is_done() {
                self.world.done.fetch_add(1, Ordering::SeqCst);
            } else if !matches!(outcome, Outcome::Refused(_)) {
                thread::sleep(self.dice.millis(5, 50));
            }
            thread::sleep(self.world.pace);
        }
    }

    fn act(&mut self) -> Outcome {
        if !self.registered {
            return self.register();
        }
        if self.alive.is_empty() {
            return self.sign_in();
        }
        match self.dice.below(100) {
            0..62 => self.refresh(),
            62..74 if self.world.asks => self.ask(),
            74..84 => self.verify(),
            84..88 if self.alive.len() < SESSIONS => self.sign_in(),
            88..91 => self.end_session(),
            91..93 if self.world.changes => self.change_password(),
            93..94 => self.end_user(),
            94..95 if self.world.links => self.forget_password(),
            95..97 if self.world.links => self.use_link(),
            97..99 if self.world.codes && self.alive.len() < SESSIONS => self.use_code(),
            99..100 if self.world.codes => self.try_a_code_again(),
            94..100 => self.try_the_dead(),
            _ => self.refresh(),
        }
    }

    fn send(&mut self, request: &Request<'_>) -> Option<Answer> {
        let replica = self.dice.below(self.world.replicas.len());
        request.send(self.world.replicas[replica].address)
    }

    fn post(&mut self, line: &str, body: &str) -> Option<Answer> {
        self.send(&Request { line, kind: "application/json", body, ..Request::default() })
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }

    fn register(&mut self) -> Outcome {
        let (world, user) = (self.world.clone(), self.name.clone());
        let body = json!({ "email": self.email(), "password": password(0) }).to_string();
        let (outcome, ()) = world.history.call(Call::Register { user }, || {
            (outcome(self.post("POST /register", &body).as_ref(), |_| Given::Nothing), ())
        });
        self.registered = outcome.is_done();
        outcome
    }

    fn sign_in(&mut self) -> Outcome {
        let (world, user, number) = (self.world.clone(), self.name.clone(), *self.dice.pick(&self.passwords));
        let body = json!({ "email": self.email(), "password": password(number) }).to_string();
        let (outcome, held) = world.history.call(Call::SignIn { user, password: number }, || {
            let answer = self.post("POST /login", &body);
            let outcome = outcome(answer.as_ref(), |answer| Given::Session(answer.member("sid")));
            let held = answer.filter(|_| outcome.is_done()).map(|answer| Held {
                sid: answer.member("sid"),
                client: "client_id=first-party".to_owned(),
                refresh: answer.member("refresh_token"),
                access: answer.member("access_token"),
                committed: self.dice.percent(50),
                pending: None,
            });
            (outcome, held)
        });
        self.alive.extend(held);
        if outcome.is_done() {
            self.passwords = vec![number];
        }
        outcome
    }

    fn refresh(&mut self) -> Outcome {
        let n = self.dice.below(self.alive.len());
        let (outcome, held) = self.refresh_of(&self.alive[n].clone());
        self.keep(n, &outcome, held);
        outcome
    }

    /// Whoever hears that the session is over forgets it; else the newest tokens count.
    fn keep(&mut self, n: usize, outcome: &Outcome, held: Held) {
        match outcome {
            Outcome::Refused(_) => self.bury(n),
            _ => self.alive[n] = held,
        }
    }

    fn bury(&mut self, n: usize) {
        let held = self.alive.swap_remove(n);
        self.ended.push_back(held);
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }

    /// One refresh, or two at once if the client has committed itself: then it asks the same until there is an answer.
    fn refresh_of(&mut self, held: &Held) -> (Outcome, Held) {
        let mut body = format!("grant_type=refresh_token&{}&refresh_token={}", held.client, held.refresh);
        if !held.committed {
            return refresh_once(&self.world, self.dice.below(self.world.replicas.len()), held, &body);
        }
        let nonce = [self.dice.next().to_be_bytes(), self.dice.next().to_be_bytes()].concat();
        body += &format!("&next_nonce={}", b64::encode(nonce));
        let body = held.pending.clone().unwrap_or(body);
        let held = Held { pending: Some(body.clone()), ..held.clone() };
        let windows: Vec<_> = (0..=self.dice.below(2)).map(|_| self.dice.below(self.world.replicas.len())).collect();
        let (world, held) = (&self.world, &held);
        let mut answers: Vec<_> = thread::scope(|scope| {
            let body = &body;
            let calls: Vec<_> =
                windows.iter().map(|replica| scope.spawn(move || refresh_once(world, *replica, held, body))).collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let answered = answers.iter().position(|(outcome, _)| outcome.is_done());
        answers.swap_remove(answered.unwrap_or(0))
    }

    fn ask(&mut self) -> Outcome {
        let n = self.dice.below(self.alive.len());
        let outcome = self.ask_of(&self.alive[n].clone());
        if matches!(outcome, Outcome::Refused(_)) {
            self.bury(n);
        }
        outcome
    }

    fn ask_of(&mut self, held: &Held) -> Outcome {
        let world = self.world.clone();
        let ask = || {
            let request = Request {
                line: "GET /session",
                kind: "application/json",
                bearer: Some(&held.access),
                ..Request::default()
            };
            (outcome(self.send(&request).as_ref(), |_| Given::Nothing), ())
        };
        world.history.call(Call::Ask { session: held.sid.clone() }, ask).0
    }

    fn verify(&mut self) -> Outcome {
        let all: Vec<_> = self.alive.iter().chain(&self.ended).cloned().collect();
        let held = self.dice.pick(&all).clone();
        verify(&self.world, &held.sid, &held.access, Lease::Open)
    }

    fn end_session(&mut self) -> Outcome {
        let n = self.dice.below(self.alive.len());
        let held = self.alive[n].clone();
        let body = json!({ "kind": "session", "id": held.sid }).to_string();
        let outcome = if self.dice.percent(50) {
            self.revoke(Call::EndSession { session: held.sid }, &body)
        } else {
            let (world, body) = (self.world.clone(), json!({ "refresh_token": held.refresh }).to_string());
            let end = || (outcome(self.post("POST /logout", &body).as_ref(), |_| Given::Nothing), ());
            world.history.call(Call::EndSession { session: held.sid }, end).0
        };
        if outcome.is_done() {
            self.bury(n);
        }
        outcome
    }

    fn end_user(&mut self) -> Outcome {
        let body = json!({ "kind": "user", "id": self.email() }).to_string();
        let outcome = self.revoke(Call::EndUser { user: self.name.clone() }, &body);
        self.all_ended(&outcome);
        outcome
    }

    fn all_ended(&mut self, outcome: &Outcome) {
        while outcome.is_done() && !self.alive.is_empty() {
            self.bury(0);
        }
    }

    fn revoke(&mut self, call: Call, body: &str) -> Outcome {
        let (world, replica) = (self.world.clone(), self.dice.below(self.world.replicas.len()));
        let request =
            Request { line: "POST /api/admin/revocations", kind: "application/json", body, ..Request::default() };
        let end = || (outcome(request.send_locally(&world.replicas[replica].socket).as_ref(), until), ());
        world.history.call(call, end).0
    }

    fn change_password(&mut self) -> Outcome {
        let n = self.dice.below(self.alive.len());
        let held = self.alive[n].clone();
        self.newest += 1;
        let (world, to, current) = (self.world.clone(), self.newest, *self.dice.pick(&self.passwords));
        let body = json!({ "current_password": password(current), "new_password": password(to) }).to_string();
        let call = Call::ChangePassword { user: self.name.clone(), to };
        let change = || {
            let request = Request {
                line: "POST /password/change",
                kind: "application/json",
                bearer: Some(&held.access),
                body: &body,
                ..Request::default()
            };
            (outcome(self.send(&request).as_ref(), |_| Given::Nothing), ())
        };
        let (outcome, ()) = world.history.call(call, change);
        self.password_set(&outcome, to);
        outcome
    }

    fn password_set(&mut self, outcome: &Outcome, to: u32) {
        match outcome {
            Outcome::Done(_) => self.passwords = vec![to],
            maybe if maybe.is_possible() => self.passwords.push(to),
            _ => {}
        }
        self.all_ended(outcome);
    }

    fn try_the_dead(&mut self) -> Outcome {
        if self.ended.is_empty() {
            return self.refresh();
        }
        let n = self.dice.below(self.ended.len());
        let held = self.ended[n].clone();
        if self.world.asks && self.dice.percent(50) { self.ask_of(&held) } else { self.refresh_of(&held).0 }
    }

    /// Everything that they held is over, they heard; they try it all the same.
    pub fn try_what_is_over(mut self, times: usize) {
        while !self.alive.is_empty() {
            self.bury(0);
        }
        for _ in 0..times {
            if !self.ended.is_empty() {
                let _ = self.try_the_dead();
            }
        }
    }

    /// Tries all that they ever held and remember, at the issuer and at the verifiers of these worlds.
    pub fn try_everything(mut self, worlds: &[World]) -> Self {
        while !self.alive.is_empty() {
            self.bury(0);
        }
        for held in self.ended.clone() {
            let _ = self.ask_of(&held);
            let _ = self.refresh_of(&held);
            for world in worlds {
                let _ = verify(world, &held.sid, &held.access, Lease::Open);
            }
        }
        self
    }

    /// Begins anew at an issuer that may have forgotten what was lately: with the password that it knows, if it knows one.
    pub fn come_back(mut self, world: &World) -> Self {
        self.world = world.clone();
        (self.alive, self.ended) = (Vec::new(), VecDeque::new());
        (self.links, self.codes, self.shop) = (Vec::new(), Vec::new(), None);
        let mut known = None;
        for number in (0..=self.newest).rev() {
            let body = json!({ "email": self.email(), "password": password(number) }).to_string();
            let signed_in = self.post("POST /login", &body).is_some_and(|answer| answer.status == 200);
            known = known.or(Some(number).filter(|_| signed_in));
        }
        self.registered = known.is_some();
        let number = known.unwrap_or(0);
        (self.passwords, self.newest) = (vec![number], self.newest.max(number));
        if self.registered {
            let call = Call::ChangePassword { user: self.name.clone(), to: number };
            world.history.note(call, Outcome::Done(Given::Nothing));
        }
        self
    }

    /// Everything works again; who they are if it does not.
    fn settle(&mut self) -> Option<String> {
        let begun = Stopwatch::start();
        while begun.elapsed() < PATIENCE {
            if self.settled() {
                return None;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Some(self.name.clone())
    }

    fn settled(&mut self) -> bool {
        let answered = |outcome: &Outcome| outcome.is_done() || matches!(outcome, Outcome::Refused(_));
        if !self.registered && !self.register().is_done() {
            return false;
        }
        for _ in 0..2 {
            for n in (0..self.alive.len()).rev() {
                let (outcome, held) = self.refresh_of(&self.alive[n].clone());
                self.keep(n, &outcome, held);
                if !answered(&outcome) {
                    return false;
                }
            }
        }
        let ended: Vec<_> = self.ended.iter().cloned().collect();
        let dead = ended.iter().all(|held| answered(&self.ask_of(held)) && answered(&self.refresh_of(held).0));
        dead && self.sign_in().is_done()
    }
}

fn refresh_once(world: &World, replica: usize, held: &Held, body: &str) -> (Outcome, Held) {
    let call = Call::Refresh { session: held.sid.clone(), presented: held.refresh.clone() };
    let request =
        Request { line: "POST /token", kind: "application/x-www-form-urlencoded", body, ..Request::default() };
    world.history.call(call, || {
        let answer = request.send(world.replicas[replica].address);
        let outcome = outcome(answer.as_ref(), |answer| Given::Token(answer.member("refresh_token")));
        let mut held = held.clone();
        if let (Some(answer), Outcome::Done(Given::Token(token))) = (answer, &outcome) {
            (held.refresh, held.access, held.pending) = (token.clone(), answer.member("access_token"), None);
        }
        (outcome, held)
    })
}

/// Asks a verifier, if there is one.
pub fn verify(world: &World, sid: &str, access: &str, lease: Lease) -> Outcome {
    let Some(verifier) = &world.verifier else { return Outcome::Unavailable };
    let call = Call::Verify { session: sid.to_owned(), lease };
    let judge = || {
        let outcome = match verifier.verify(access) {
            Ok(_) => Outcome::Done(Given::Nothing),
            Err(Rejection::Revoked { .. } | Rejection::BelowFloor { .. }) => {
                Outcome::Refused("token-invalid".to_owned())
            }
            Err(Rejection::Stale { .. } | Rejection::NotReady { .. }) => Outcome::Unavailable,
            Err(other) => Outcome::Refused(format!("{other:?}")),
        };
        (outcome, ())
    };
    world.history.call(call, judge).0
}

/// `effective_by` for strict verifiers.
fn until(answer: &Answer) -> Given {
    let by = answer.json()["effective_by"]["strict"].as_str().and_then(|by| humantime::parse_rfc3339(by).ok());
    let micros =
        by.and_then(|by| by.duration_since(UNIX_EPOCH).ok()).and_then(|since| since.as_micros().try_into().ok());
    micros.map_or(Given::Nothing, |micros| Given::Until(Timestamp::from_micros(micros)))
}

pub fn password(number: u32) -> String {
    format!("correct horse battery staple {number}")
}
