//! Honest people with two tabs and one store, and a thief with a copy.

use std::{rc::Rc, time::Duration};

use countersign_jose::AccessClaims;
use countersign_server::domain::{
    refresh::{Attempt, Family, Grant, Outcome, Reason, Session, Theft, decide},
    refresh_token::MacKeys,
    revocation::Entry,
    rsn::{MinRsn, Rsn, of_sign_in, of_token},
    session::{Nonce, Sid},
    time::Timestamp,
};

use countersign_verify::Names;

use crate::{
    database::{ISSUER, Rights, SCOPE, TTL},
    flaw::Flaw,
    world::{Event, MINUTE, SECOND, Token, World},
};

const GRACE: Duration = Duration::from_secs(10);

pub fn keys() -> MacKeys {
    MacKeys::new(1, [(1, &[1; 32][..])]).unwrap()
}

/// A person: the session's number is the client's.
#[derive(Debug)]
pub struct Client {
    pub user: String,
    pub sid: Sid,
    /// The refresh token in the browser's store, as a tab last wrote it.
    stored: Held,
    /// Rule B: the client names its next token.
    names_next: bool,
    /// The next token that it has named, beside the one in the store until there is an answer.
    next: Option<Nonce>,
    /// What the thief has.
    copy: Option<Held>,
    stolen: bool,
    /// The thief and the owner have each used theirs, far from each other, so often in turn.
    turns: u32,
    last_by: Option<(bool, Duration)>,
    /// A revocation was asked for; when it was acknowledged.
    pub ending: bool,
    pub ended: Option<Duration>,
    /// The newest change of rights that was acknowledged: its version, and when.
    pub changed: Option<(u32, Duration)>,
    pub restored: bool,
    signed_out: bool,
    last_good: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    generation: i64,
    nonce: Nonce,
}

#[derive(Debug, Clone)]
pub struct Request {
    client: usize,
    held: Held,
    next: Option<Nonce>,
    by_thief: bool,
    replica: usize,
    head: Rsn,
    /// As they were when the replica read the head.
    rights: Rights,
    tries: u32,
}

/// A request whose row was read, in this life of the database.
#[derive(Debug)]
pub struct Read {
    pub request: Request,
    life: u64,
    session: Session,
}

#[derive(Debug)]
pub struct Reply {
    client: usize,
    by_thief: bool,
    /// None: signed out.
    token: Option<Box<Answer>>,
}

#[derive(Debug)]
struct Answer {
    held: Held,
    claims: AccessClaims,
    rights: u32,
    replica: usize,
}

impl Client {
    /// What came from the backup ended; what was acknowledged after it is gone.
    pub fn restored(&mut self) {
        self.restored = true;
        self.changed = None;
    }

    pub fn sign_in(world: &mut World, at: usize) -> Self {
        let user = format!("usr_{at}");
        let sid = Sid::new(&user, &u128::from(world.chance.next()).to_be_bytes());
        let nonce = draw(world);
        let never = Timestamp::from_micros(i64::MAX);
        Rc::make_mut(&mut world.database.rows.rights).push(Rights::default());
        let auth_rsn = of_sign_in(world.database.rows.head, Rsn::default());
        Rc::make_mut(&mut world.database.rows.sessions).push(Session {
            client_id: "app".into(),
            dpop_jkt: None,
            revoked: false,
            disabled: false,
            auth_rsn,
            min_rsn: MinRsn::default(),
            expires_at: never,
            idle_expires_at: never,
            family: Family::new(nonce.clone()),
        });
        Self {
            user,
            sid,
            stored: Held { generation: 0, nonce },
            names_next: world.chance.one_in(3),
            next: None,
            copy: None,
            stolen: false,
            turns: 0,
            last_by: None,
            ending: false,
            ended: None,
            changed: None,
            restored: false,
            signed_out: false,
            last_good: Duration::ZERO,
        }
    }
}

fn draw(world: &mut World) -> Nonce {
    Nonce::new((u128::from(world.chance.next()) << 64 | u128::from(world.chance.next())).to_be_bytes())
}

impl World {
    /// One tab refreshes, and often a second one at about the same time; a while later once more, in case nothing came back.
    pub fn wake(&mut self, client: usize) {
        if self.clients[client].signed_out {
            return;
        }
        let next = self.span(4 * MINUTE, 9 * MINUTE);
        self.after(next, Event::Wake(client));
        if self.fails(20) {
            let when = self.span(Duration::ZERO, 2 * SECOND);
            self.after(when, Event::Rights(client));
        }
        if self.clients[client].names_next && self.clients[client].next.is_none() {
            self.clients[client].next = Some(draw(self));
        }
        for _ in 0..=self.chance.below(2) {
            let (held, next) = (self.clients[client].stored.clone(), self.clients[client].next.clone());
            self.send(client, (held, next), false);
        }
    }

    pub fn steal(&mut self, client: usize) {
        // Rule B holds from the first refresh on.
        if self.clients[client].names_next && self.clients[client].last_good.is_zero() {
            return;
        }
        self.clients[client].copy = Some(self.clients[client].stored.clone());
        self.after(MINUTE, Event::Thief(client));
    }

    pub fn thief(&mut self, client: usize) {
        let Some(copy) = self.clients[client].copy.clone() else { return };
        let next = self.span(4 * MINUTE, 9 * MINUTE);
        self.after(next, Event::Thief(client));
        let next = self.clients[client].names_next.then(|| draw(self));
        self.send(client, (copy, next), true);
    }

    fn send(&mut self, client: usize, (held, next): (Held, Option<Nonce>), by_thief: bool) {
        if self.fails(10) {
            return;
        }
        let replica = self.any_replica();
        let (head, rights) = Default::default();
        let request = Request { client, held, next, by_thief, replica, head, rights, tries: 0 };
        let way = self.span(SECOND / 100, SECOND);
        self.after(way, Event::Arrive(Box::new(request)));
    }

    /// The replica reads the log's head (R3) and the row, and decides.
    pub fn arrive(&mut self, mut request: Request) {
        request.head = self.database.rows.head;
        request.rights = self.database.rows.rights[request.client];
        let session = self.database.rows.sessions[request.client].clone();
        let read = Read { request, life: self.database.life, session };
        let takes = self.span(SECOND / 1000, SECOND / 10);
        self.after(takes, Event::Save(Box::new(read)));
    }

    /// It saves, unless the row has changed since: then it looks once more.
    pub fn save(&mut self, Read { request, life, session: read }: Read) {
        if life != self.database.life {
            self.counts.lost += 1;
            return;
        }
        if self.database.rows.sessions[request.client] != read && self.flaw != Flaw::SavesBlindly {
            if request.tries < 8 {
                self.arrive(Request { tries: request.tries + 1, ..request });
            }
            return;
        }
        let sid = &self.clients[request.client].sid;
        let sealed = self.mac.seal(sid, request.held.generation, &request.held.nonce);
        let presented = self.mac.open(sealed.expose()).unwrap();
        let now = self.clock(request.replica);
        let next = request.next.as_ref();
        let attempt = Attempt { presented: &presented, client_id: "app", dpop_jkt: None, next, now };
        let grace = if self.flaw == Flaw::NoGrace { Duration::ZERO } else { GRACE };
        match self.decided(&read, &attempt, grace) {
            Outcome::Grant(grant) => {
                let new = next.cloned().unwrap_or_else(|| draw(self));
                let mut session = read;
                session.family = session.family.after(grant, &attempt, &new);
                *self.database.rows.session(request.client) = session;
                self.granted(&request, now);
            }
            Outcome::Refuse(refusal) => self.refused(&request, refusal.reason, now),
        }
    }

    fn decided(&self, session: &Session, attempt: &Attempt<'_>, grace: Duration) -> Outcome {
        let is_parent = attempt.presented.generation() + 1 == session.family.generation
            && *attempt.presented.nonce() == session.family.prev_nonce;
        match decide(session, attempt, grace) {
            Outcome::Refuse(refusal)
                if self.flaw == Flaw::TakesAnySuccessor
                    && matches!(refusal.reason, Reason::Reused(Theft::OtherSuccessor)) =>
            {
                Outcome::Grant(Grant::Share)
            }
            // Sessions that ended stay so.
            Outcome::Grant(_) if self.flaw == Flaw::ParentForEver && is_parent => Outcome::Grant(Grant::Share),
            outcome => outcome,
        }
    }

    fn granted(&mut self, request: &Request, now: Timestamp) {
        self.counts.refreshes += 1;
        let at = request.client;
        if self.clients[at].ended.is_some() {
            return self.fail("a session goes on although its end was acknowledged");
        }
        self.clients[at].stolen |= request.by_thief;
        let session = &self.database.rows.sessions[at];
        let family = &session.family;
        let held = Held { generation: family.generation, nonce: family.nonce.clone() };
        // The rights are those of the transaction that rotates; the head was read before it (R3).
        let (head, rights) = if self.flaw == Flaw::ReadsTheHeadLast {
            (self.database.rows.head, request.rights)
        } else {
            (request.head, self.database.rows.rights[at])
        };
        let rsn = of_token(head, session.auth_rsn, rights.token_rsn);
        let claims = AccessClaims {
            iss: ISSUER.into(),
            sub: self.clients[at].user.clone(),
            client_id: "app".into(),
            jti: self.counts.refreshes.to_string(),
            sid: Some(self.clients[at].sid.to_string()),
            rsn: Some(rsn.get()),
            exp: now.plus(TTL).secs(),
            ..AccessClaims::default()
        };
        let answer = Answer { held, claims, rights: rights.version, replica: request.replica };
        let reply = Reply { client: at, by_thief: request.by_thief, token: Some(Box::new(answer)) };
        self.once_durable(Event::Answer(reply));
    }

    /// The owner and a thief that refresh far apart from each other find each other out by the fourth turn; under rule B at the
    /// second, however close they are. An answer that was lost is nobody's turn: nobody has what it gave.
    fn take_turns(&mut self, reply: &Reply) {
        let now = self.now;
        let client = &mut self.clients[reply.client];
        match client.last_by {
            Some((by_thief, at)) if by_thief != reply.by_thief => {
                let apart = client.names_next || now - at > 2 * GRACE;
                client.turns = if apart { client.turns + 1 } else { 0 };
            }
            _ => {}
        }
        client.last_by = Some((reply.by_thief, now));
        if client.turns > if client.names_next { 1 } else { 4 } {
            self.fail("thief and owner go on side by side");
        }
    }

    fn refused(&mut self, request: &Request, reason: Reason, clock: Timestamp) {
        self.clients[request.client].stolen |= request.by_thief;
        let client = &self.clients[request.client];
        let cause = match reason {
            Reason::Reused(_) => client.stolen || client.restored,
            Reason::Ended => client.ending || client.stolen || client.restored,
            Reason::SignedOut => client.ending || client.restored,
            Reason::Future => client.restored,
            _ => false,
        };
        if !cause {
            return self.fail(format!("an honest client is signed out: {reason:?}"));
        }
        if matches!(reason, Reason::Reused(_)) {
            self.counts.caught += 1;
            let rows = &mut self.database.rows;
            rows.append(Entry::session(SCOPE, client.sid.as_str(), clock.plus(TTL).secs()), clock);
            rows.session(request.client).revoked = true;
        }
        let reply = Reply { client: request.client, by_thief: request.by_thief, token: None };
        self.once_durable(Event::Answer(reply));
    }

    pub fn answer(&mut self, reply: Reply) {
        if reply.token.is_some() {
            self.take_turns(&reply);
        }
        let Some(answer) = reply.token else {
            let client = &mut self.clients[reply.client];
            if reply.by_thief {
                client.copy = None;
            } else {
                client.signed_out = true;
            }
            return;
        };
        let Answer { held, claims, rights, replica } = *answer;
        let kid = self.signing_key(replica);
        let expires = self.now + TTL;
        let names = Names::of(&claims, &kid);
        self.tokens.push(Token { names, kid, rights, session: reply.client, expires });
        let now = self.now;
        self.tokens.retain(|token| token.expires > now);
        let client = &mut self.clients[reply.client];
        if reply.by_thief {
            client.copy = Some(held);
        } else {
            client.next.take_if(|next| *next == held.nonce);
            client.stored = held;
            client.last_good = now;
        }
    }

    /// Whoever was not ended has refreshed a short while ago.
    pub fn client_ends_well(&mut self, at: usize) {
        let client = &self.clients[at];
        if !client.signed_out && client.ended.is_none() && self.now > client.last_good + 20 * MINUTE {
            self.fail("the faults are over, and an honest client cannot refresh");
        }
    }
}
