//! What one connection asks for, again and again, and what counts as an answer.

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
    fn request(&mut self) -> &[u8];
    fn reply(&mut self, reply: &Reply<'_>) -> Outcome;
}

pub type Jobs = Vec<Box<dyn Job>>;

/// The same bytes each time.
pub struct Fixed(pub Vec<u8>);

impl Job for Fixed {
    fn request(&mut self) -> &[u8] {
        &self.0
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Outcome {
        outcome(reply)
    }
}

/// One refresh chain: each request carries the token that the reply before it brought.
pub struct Chain {
    request: Vec<u8>,
    token: String,
    must_rotate: bool,
}

impl Chain {
    /// `must_rotate`: an answer with the token that was shown is a failure, so that nothing but rotations is counted.
    pub fn new(token: String, must_rotate: bool) -> Self {
        Self { request: Vec::new(), token, must_rotate }
    }
}

impl Job for Chain {
    fn request(&mut self) -> &[u8] {
        let body = format!("grant_type=refresh_token&client_id=first-party&refresh_token={}", self.token);
        self.request = http::post_form("/token", &body);
        &self.request
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
    use super::{Chain, Job, Outcome};
    use crate::http::Reply;

    fn reply(body: &str) -> Reply<'_> {
        Reply { status: 200, body: body.as_bytes() }
    }

    #[test]
    fn a_chain_follows_its_newest_token() {
        let mut chain = Chain::new("rt1.a".to_owned(), true);
        assert!(String::from_utf8_lossy(chain.request()).ends_with("&refresh_token=rt1.a"));
        assert!(matches!(chain.reply(&reply(r#"{"refresh_token":"rt1.b","scope":"x"}"#)), Outcome::Done));
        assert!(String::from_utf8_lossy(chain.request()).ends_with("&refresh_token=rt1.b"));
    }

    #[test]
    fn a_reply_without_a_new_token_is_no_rotation() {
        let mut chain = Chain::new("rt1.a".to_owned(), true);
        assert!(matches!(chain.reply(&reply(r#"{"refresh_token":"rt1.a"}"#)), Outcome::Failed(_)));
        assert!(matches!(chain.reply(&Reply { status: 503, body: b"" }), Outcome::Refused));
        assert!(matches!(chain.reply(&Reply { status: 400, body: b"{}" }), Outcome::Failed(_)));
    }
}
