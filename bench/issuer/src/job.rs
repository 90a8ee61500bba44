//! What one connection asks for, again and again, and what counts as an answer.

use std::cell::RefCell;
use std::rc::Rc;

use memchr::memmem;

use crate::http::{self, Reply};

pub enum Outcome {
    Done,
    /// 429 or 503: the server protects itself.
    Refused,
    /// Anything else. The run stops: a rate of errors is not a rate.
    Failed(String),
}

pub trait Job {
    /// The next request; none if what it is made of has run out, which ends the window.
    fn request(&mut self) -> Option<&[u8]>;
    fn reply(&mut self, reply: &Reply<'_>) -> Outcome;
}

pub type Jobs = Vec<Box<dyn Job>>;

/// The same bytes each time.
pub struct Fixed(pub Vec<u8>);

impl Job for Fixed {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Outcome {
        outcome(reply)
    }
}

/// The same bytes each time, and an answer that says what it must.
pub struct Asked {
    pub request: Vec<u8>,
    pub says: &'static [&'static str],
}

impl Job for Asked {
    fn request(&mut self) -> Option<&[u8]> {
        Some(&self.request)
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Outcome {
        demand(reply, self.says)
    }
}

/// Makes a request of a piece of a stock.
type Make = Rc<dyn Fn(&str) -> Vec<u8>>;

/// Spends what is in a stock, each piece once: authorization codes, access tokens.
pub struct Spend {
    stock: Rc<RefCell<Vec<String>>>,
    make: Make,
    says: &'static [&'static str],
    request: Vec<u8>,
}

impl Spend {
    /// So many connections that share a stock; `make` makes a request of a piece, and the answer must say all of `says`.
    pub fn sharing(
        stock: Vec<String>,
        make: impl Fn(&str) -> Vec<u8> + 'static,
        says: &'static [&'static str],
        connections: usize,
    ) -> Jobs {
        let (stock, make): (_, Make) = (Rc::new(RefCell::new(stock)), Rc::new(make));
        let one = |_| Self { stock: Rc::clone(&stock), make: Rc::clone(&make), says, request: Vec::new() };
        (0..connections).map(one).map(|job| Box::new(job) as Box<dyn Job>).collect()
    }
}

impl Job for Spend {
    fn request(&mut self) -> Option<&[u8]> {
        let piece = self.stock.borrow_mut().pop()?;
        self.request = (self.make)(&piece);
        Some(&self.request)
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Outcome {
        demand(reply, self.says)
    }
}

/// One refresh chain: each request carries the token that the reply before it brought.
pub struct Chain {
    client_id: &'static str,
    request: Vec<u8>,
    token: String,
    must_rotate: bool,
}

impl Chain {
    /// Of the issuer's own client. `must_rotate`: an answer with the token that was shown is a failure, so that nothing but rotations is counted.
    pub fn new(token: String, must_rotate: bool) -> Self {
        Self::of("first-party", token, must_rotate)
    }

    /// Of another public client.
    pub fn of(client_id: &'static str, token: String, must_rotate: bool) -> Self {
        Self { client_id, request: Vec::new(), token, must_rotate }
    }
}

impl Job for Chain {
    fn request(&mut self) -> Option<&[u8]> {
        let body = format!("grant_type=refresh_token&client_id={}&refresh_token={}", self.client_id, self.token);
        self.request = http::post_form("/token", &body);
        Some(&self.request)
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Outcome {
        let Outcome::Done = outcome(reply) else {
            return outcome(reply);
        };
        let Some(next) = string_member(reply.body, b"\"refresh_token\":\"") else {
            return Outcome::Failed(format!("no refresh token in {}", excerpt(reply.body)));
        };
        if self.must_rotate && next == self.token {
            return Outcome::Failed("the refresh token was not rotated".to_owned());
        }
        next.clone_into(&mut self.token);
        Outcome::Done
    }
}

fn outcome(reply: &Reply<'_>) -> Outcome {
    match reply.status {
        200 => Outcome::Done,
        429 | 503 => Outcome::Refused,
        status => Outcome::Failed(format!("{status}: {}", excerpt(reply.body))),
    }
}

/// An answer without one of these texts is a failure.
fn demand(reply: &Reply<'_>, texts: &[&str]) -> Outcome {
    match outcome(reply) {
        Outcome::Done => match texts.iter().find(|text| memmem::find(reply.body, text.as_bytes()).is_none()) {
            Some(text) => Outcome::Failed(format!("no {text} in {}", excerpt(reply.body))),
            None => Outcome::Done,
        },
        other => other,
    }
}

/// The text of a JSON string member, found by its name; tokens contain nothing that JSON escapes.
pub fn string_member<'a>(body: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let from = memmem::find(body, name)? + name.len();
    let len = memchr::memchr(b'"', &body[from..])?;
    str::from_utf8(&body[from..from + len]).ok()
}

pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Chain, Job, Outcome, Spend};
    use crate::http::Reply;

    fn reply(body: &str) -> Reply<'_> {
        Reply { status: 200, head: b"", body: body.as_bytes() }
    }

    fn sent(job: &mut dyn Job) -> Option<String> {
        job.request().map(|request| String::from_utf8_lossy(request).into_owned())
    }

    #[test]
    fn each_piece_of_a_stock_is_spent_once_and_then_there_is_none() {
        let make = |piece: &str| format!("x=y&code={piece}").into_bytes();
        let mut jobs = Spend::sharing(vec!["a".to_owned(), "b".to_owned()], make, &["\"a\":1", "\"b\":2"], 2);
        assert_eq!(sent(&mut *jobs[0]).as_deref(), Some("x=y&code=b"));
        assert_eq!(sent(&mut *jobs[1]).as_deref(), Some("x=y&code=a"));
        assert!(jobs.iter_mut().all(|job| sent(&mut **job).is_none()));
        assert!(matches!(jobs[0].reply(&reply(r#"{"b":2,"a":1}"#)), Outcome::Done));
        assert!(matches!(jobs[0].reply(&reply(r#"{"a":1}"#)), Outcome::Failed(_)));
    }

    #[test]
    fn an_answer_that_says_something_else_is_a_failure() {
        let mut asked = Asked { request: Vec::new(), says: &["\"active\":true"] };
        assert!(matches!(asked.reply(&reply(r#"{"active":true}"#)), Outcome::Done));
        assert!(matches!(asked.reply(&reply(r#"{"active":false}"#)), Outcome::Failed(_)));
    }

    #[test]
    fn a_chain_follows_its_newest_token() {
        let mut chain = Chain::new("rt1.a".to_owned(), true);
        assert!(sent(&mut chain).expect("a request").ends_with("&refresh_token=rt1.a"));
        assert!(matches!(chain.reply(&reply(r#"{"refresh_token":"rt1.b","scope":"x"}"#)), Outcome::Done));
        assert!(sent(&mut chain).expect("a request").ends_with("&refresh_token=rt1.b"));
    }

    #[test]
    fn a_reply_without_a_new_token_is_no_rotation() {
        let mut chain = Chain::new("rt1.a".to_owned(), true);
        assert!(matches!(chain.reply(&reply(r#"{"refresh_token":"rt1.a"}"#)), Outcome::Failed(_)));
        assert!(matches!(chain.reply(&Reply { status: 503, head: b"", body: b"" }), Outcome::Refused));
        assert!(matches!(chain.reply(&Reply { status: 400, head: b"", body: b"{}" }), Outcome::Failed(_)));
    }
}
