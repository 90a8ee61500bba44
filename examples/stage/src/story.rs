//! Tells each step: what is asked, what was expected, what came. Counts what was not as expected.

use std::{fmt, time::Duration};

use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::{
    Failure,
    client::{Answer, Call, Http},
    session::Session,
};

/// Between two tries of the same.
const AGAIN: Duration = Duration::from_millis(20);
/// The longest that something may take to become so.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answer that a step expects.
#[derive(Debug)]
pub struct Expected {
    /// `None`: no answer, because nobody is there.
    status: Option<u16>,
    /// A member of the answer (a JSON pointer, RFC 6901) and its value.
    member: Option<(&'static str, Value)>,
}

/// An answer with this status.
pub fn status(status: u16) -> Expected {
    Expected { status: Some(status), member: None }
}

/// No answer at all.
pub fn no_answer() -> Expected {
    Expected { status: None, member: None }
}

impl Expected {
    /// … and in it, at this JSON pointer, this value.
    pub fn with(self, pointer: &'static str, value: impl Into<Value>) -> Self {
        Self { member: Some((pointer, value.into())), ..self }
    }

    fn is(&self, came: Option<&Answer>) -> bool {
        let member = |answer: &Answer| {
            self.member.as_ref().is_none_or(|(pointer, value)| answer.body.pointer(pointer) == Some(value))
        };
        self.status == came.map(|answer| answer.status) && came.is_none_or(member)
    }

    /// What came, in as many words as were expected.
    fn came(&self, answer: Option<&Answer>) -> String {
        let Some(answer) = answer else { return "no answer".to_owned() };
        match &self.member {
            Some((pointer, _)) => match answer.body.pointer(pointer) {
                Some(value) => format!("{} with {pointer} {value}", answer.status),
                None => format!("{} without {pointer}", answer.status),
            },
            None => answer.status.to_string(),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, &self.member) {
            (None, _) => f.write_str("no answer"),
            (Some(status), None) => write!(f, "{status}"),
            (Some(status), Some((pointer, value))) => write!(f, "{status} with {pointer} {value}"),
        }
    }
}

/// A story.
#[derive(Debug, Default)]
pub struct Story {
    http: Http,
    /// URLs and who is there.
    places: Vec<(String, String)>,
    chapters: u32,
    steps: u32,
    unexpected: u32,
}

impl Story {
    /// Nothing has been told yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client that it asks with.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Steps so far, and how many of them were not as expected.
    pub fn tally(&self) -> (u32, u32) {
        (self.steps, self.unexpected)
    }

    /// Gives a URL a name.
    pub fn place(&mut self, name: &str, url: &str) {
        println!("   the process `{name}` listens on {url}");
        self.places.push((url.to_owned(), name.to_owned()));
    }

    /// A new chapter.
    pub fn chapter(&mut self, title: &str) {
        self.chapters += 1;
        println!("\n{}. {title}", self.chapters);
    }

    /// A remark.
    pub fn say(&self, words: &str) {
        println!("   {words}");
    }

    /// Asks, tells what came, and returns it; an empty answer if none came.
    pub async fn ask(&mut self, words: &str, call: Call, expected: Expected) -> Answer {
        let (asked, answer) = (self.shown(&call), self.http.send(call).await);
        self.answered(words, &asked, answer, &expected)
    }

    /// Asks the same twice at the same time; both answers are expected to be alike.
    pub async fn ask_both(&mut self, words: &str, call: Call, expected: Expected) -> [Answer; 2] {
        let asked = self.shown(&call);
        let (first, second) = tokio::join!(self.http.send(call.clone()), self.http.send(call));
        [first, second].map(|answer| self.answered(words, &asked, answer, &expected))
    }

    /// As [`ask`](Self::ask), by an application that refreshes its session by itself.
    pub async fn ask_in(&mut self, session: &Session, words: &str, call: Call, expected: Expected) -> Answer {
        let (asked, answer) = (self.shown(&call), session.send(call).await);
        self.answered(words, &asked, answer, &expected)
    }

    /// Asks again and again until the expected answer comes.
    pub async fn until(&mut self, words: &str, call: Call, expected: Expected) -> Answer {
        let asked = self.shown(&call);
        let mut last = self.http.send(call.clone()).await;
        let become_so = async {
            while !expected.is(last.as_ref().ok()) {
                sleep(AGAIN).await;
                last = self.http.send(call.clone()).await;
            }
        };
        // What was there when patience ended is told as what came.
        let _ = timeout(PATIENCE, become_so).await;
        self.answered(words, &asked, last, &expected)
    }

    fn answered(&mut self, words: &str, asked: &str, answer: Result<Answer, Failure>, expected: &Expected) -> Answer {
        let came = answer.as_ref().ok();
        self.told(words, expected.is(came), &format!("{asked} → expected {expected}, came {}", expected.came(came)));
        if let Err(error) = &answer
            && expected.status.is_some()
        {
            self.say(&format!("  {error}"));
        }
        answer.unwrap_or_default()
    }

    /// Tells something that must be so.
    pub fn check(&mut self, words: &str, is_so: bool) {
        let came = if is_so { "it is so" } else { "it is not so" };
        self.told(words, is_so, came);
    }

    fn told(&mut self, words: &str, good: bool, detail: &str) {
        self.steps += 1;
        self.unexpected += u32::from(!good);
        println!("   {} {words}\n       {detail}", if good { '✓' } else { '✗' });
    }

    fn shown(&self, call: &Call) -> String {
        let found = self.places.iter().find_map(|(url, name)| Some((name, call.url.strip_prefix(url.as_str())?)));
        match found {
            Some((name, path)) => format!("{} {path} at {name}", call.method),
            None => format!("{} {}", call.method, call.url),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn came(status: u16, body: Value) -> Answer {
        Answer { status, body }
    }

    #[test]
    fn only_the_expected_answer_is_good() {
        assert!(status(200).is(Some(&came(200, Value::Null))));
        assert!(!status(200).is(Some(&came(201, Value::Null))));
        assert!(!status(200).is(None));
        assert!(no_answer().is(None));
        assert!(!no_answer().is(Some(&came(200, Value::Null))));
        let left = status(200).with("/left", 8);
        assert!(left.is(Some(&came(200, json!({ "left": 8 })))));
        for body in [json!({ "left": 7 }), json!({}), Value::Null] {
            assert!(!left.is(Some(&came(200, body))));
        }
        assert!(!left.is(Some(&came(409, json!({ "left": 8 })))));
    }

    #[tokio::test]
    async fn what_was_not_expected_is_counted() {
        let mut story = Story::new();
        // A port that was free a moment ago: nobody answers.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        story.ask("somebody calls", Call::get(format!("http://{free}/")), status(200)).await;
        story.ask("somebody calls", Call::get(format!("http://{free}/")), no_answer()).await;
        story.check("so", true);
        story.check("not so", false);
        assert_eq!(story.tally(), (4, 2));
    }
}
