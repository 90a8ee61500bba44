//! What people find in their mail, while there is no mail server: the issuer writes it into a folder.

use std::fs;

use base64_simd::STANDARD;
use countersign_server::mail;

use crate::rig::{ISSUER, Rig};

/// A mail as its reader sees it.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// Of the HTML.
    pub language: String,
}

/// The text of a part, in whichever way it travelled.
fn decoded(part: &str, text: &str) -> String {
    if part.contains("quoted-printable") {
        return String::from_utf8(quoted(&text.replace("=\r\n", ""))).unwrap();
    }
    if part.contains("base64") {
        let bytes = STANDARD.decode_to_vec(text.split_whitespace().collect::<String>()).unwrap();
        return String::from_utf8(bytes).unwrap();
    }
    text.to_owned()
}

fn quoted(text: &str) -> Vec<u8> {
    let mut pieces = text.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(&piece.as_bytes()[2..]);
    }
    bytes
}

/// RFC 2047: words of a header that are not ASCII.
fn unfolded(header: &str) -> String {
    let words = header.replace("?= =?", "?==?");
    let mut pieces = words.split("=?utf-8?b?");
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (word, rest) = piece.split_once("?=").unwrap();
        text += &String::from_utf8(STANDARD.decode_to_vec(word).unwrap()).unwrap();
        text += rest;
    }
    text
}

impl Letter {
    pub fn parse(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name}: {head}")).to_owned()
        };
        // A line of a part may begin with hyphens, too: a link that was broken there.
        let boundary = head.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let end = format!("\r\n--{boundary}");
        let plain = body.split("Content-Type: text/plain").nth(1).unwrap();
        let (part, text) = plain.split_once("\r\n\r\n").unwrap();
        let text = text.split(&end).next().unwrap();
        let html = body.split("Content-Type: text/html").nth(1).unwrap();
        let (kind, html) = html.split_once("\r\n\r\n").unwrap();
        let html = decoded(kind, html.split(&end).next().unwrap());
        let language = html.split("<html lang=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        // English words are ASCII, and need no decoding.
        assert!(language != "en" || part.contains("7bit"), "{part}");
        Self { to: header("To"), subject: unfolded(&header("Subject")), text: decoded(part, text), language }
    }

    /// The link's path and query; it is the issuer's own (LOG-10).
    #[track_caller]
    pub fn link(&self) -> String {
        let line = self.text.lines().find(|line| line.contains("?token="));
        let line = line.unwrap_or_else(|| panic!("no link: {}", self.text));
        line.trim().strip_prefix(ISSUER).unwrap_or_else(|| panic!("a foreign link: {line}")).to_owned()
    }

    #[track_caller]
    pub fn token(&self) -> String {
        self.link().split_once("?token=").unwrap().1.to_owned()
    }
}

/// What was sent since the last look, oldest first.
pub async fn letters(rig: &Rig) -> Vec<Letter> {
    while mail::round(&rig.app).await.unwrap() > 0 {}
    let folder = rig.folder.path().join("data/mails");
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    let read = |path| {
        let letter = Letter::parse(&fs::read_to_string(&path).unwrap());
        fs::remove_file(path).unwrap();
        letter
    };
    paths.into_iter().map(read).collect()
}

/// The one letter with this subject among those that were sent since the last look.
#[track_caller]
pub fn one(letters: &[Letter], subject: &str) -> Letter {
    let found: Vec<_> = letters.iter().filter(|letter| letter.subject.contains(subject)).collect();
    assert_eq!(found.len(), 1, "{subject}: {letters:?}");
    found[0].clone()
}

/// What a request cost: statements and password hashes.
pub struct Cost(u64, u64);

impl Cost {
    pub fn begin(rig: &Rig) -> Self {
        Self(rig.app.store.statements(), rig.app.passwords.jobs())
    }

    pub fn end(self, rig: &Rig) -> (u64, u64) {
        (rig.app.store.statements() - self.0, rig.app.passwords.jobs() - self.1)
    }
}
