//! A mail as it travels (RFC 5322): plain text and HTML of the same words.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use zeroize::Zeroizing;

use super::words::{Facts, Words, words};
use crate::{domain::time::Timestamp, store::mails::Mail};

/// Columns of a line of plain text.
const COLUMNS: usize = 72;
/// RFC 5322, section 2.1.1, bytes.
const LONGEST_LINE: usize = 998;

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Plain<'a> {
    words: &'a Words,
    link: Option<&'a str>,
    code: Option<&'a str>,
    host: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    words: &'a Words,
    link: Option<&'a str>,
    code: Option<&'a str>,
    host: &'a str,
    language: &'a str,
}

/// The secrets that a mail carries.
pub struct Opened {
    pub link: Zeroizing<String>,
    /// The same for people who type it.
    pub code: Option<Zeroizing<String>>,
}

/// What is the same in every mail.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    pub from: &'a Mailbox,
    /// The issuer's host, as people know it.
    pub host: &'a str,
    pub now: Timestamp,
}

/// Puts a mail together.
///
/// # Errors
/// In words: the address is one that no mail can have, or a template failed.
pub fn compose(sender: Sender<'_>, mail: &Mail, to: &Address, opened: Option<&Opened>) -> Result<Vec<u8>, String> {
    let Sender { from, host, now } = sender;
    let words = words(mail.letter, mail.language, Facts { host, address: &mail.address, detail: &mail.detail });
    let link = opened.map(|opened| opened.link.as_str());
    let code = opened.and_then(|opened| opened.code.as_ref()).map(|code| code.as_str());
    let plain = Plain { words: &words, link, code, host }.render().map_err(|error| error.to_string())?;
    let language = mail.language.as_str();
    let html = Html { words: &words, link, code, host, language }.render().map_err(|error| error.to_string())?;
    // RFC 3834: nobody's vacation program answers.
    let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(&words.subject)
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .date(system_time(now))
        .raw_header(automatic)
        .multipart(MultiPart::alternative().singlepart(plain_part(&plain)).singlepart(SinglePart::html(html)))
        .map_err(|error| error.to_string())?;
    Ok(message.formatted())
}

/// Plain words travel as they are, so that the link is whole for whoever looks at the mail's source.
fn plain_part(text: &str) -> SinglePart {
    let text = text.lines().map(wrapped).collect::<Vec<_>>().join("\n");
    let body = if text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST_LINE) {
        Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body)
}

/// A paragraph in lines that are easy to read. A word is never broken: it may be a link.
fn wrapped(paragraph: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn system_time(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{language::Language, mail::Letter};

    fn mail(address: &str, detail: &str) -> Mail {
        Mail {
            id: "m1".to_owned(),
            user_id: "usr_x".to_owned(),
            letter: Letter::ChangeAsked,
            language: Language::English,
            address: address.to_owned(),
            detail: detail.to_owned(),
            sealed: None,
            attempts: 1,
            expires_at: Timestamp::from_secs(0),
        }
    }

    fn composed(mail: &Mail, link: Option<&str>) -> String {
        let from: Mailbox = "Example <no-reply@id.example>".parse().unwrap();
        let sender = Sender { from: &from, host: "id.example", now: Timestamp::from_secs(1_790_000_000) };
        let to: Address = mail.address.parse().unwrap();
        let opened = link.map(|link| Opened { link: Zeroizing::new(link.to_owned()), code: None });
        String::from_utf8(compose(sender, mail, &to, opened.as_ref()).unwrap()).unwrap()
    }

    #[test]
    fn paragraphs_are_wrapped_and_words_are_not() {
        let long = "x".repeat(100);
        assert_eq!(wrapped(""), "");
        assert_eq!(wrapped(&format!("a {long} b")), format!("a\n{long}\nb"));
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.len() <= COLUMNS) && text.lines().count() == 3, "{text}");
    }

    #[test]
    fn a_mail_has_what_a_mail_needs() {
        let link = "https://id.example/ui/password/reset?token=AAAA";
        let text = composed(&Mail { letter: Letter::Reset, ..mail("ada@example.com", "") }, Some(link));
        for line in [
            "From: Example <no-reply@id.example>\r\n",
            "To: ada@example.com\r\n",
            "Subject: Set a new password for id.example\r\n",
            "Message-ID: <m1@id.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Mon, 21 Sep 2026 ",
            "multipart/alternative",
            "text/plain",
            "text/html",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert!(text.contains(&format!("\r\n{link}\r\n")), "the link stands on a line of its own: {text}");
    }

    // ADM-05: what somebody typed stays text.
    #[test]
    fn an_address_forges_neither_a_header_nor_markup() {
        let text = composed(&mail("ada@example.com", "<b>x</b>\"@evil.example"), None);
        let html = text.split("Content-Type: text/html").nth(1).unwrap();
        assert!(html.contains("&#60;b&#62;x") && !html.contains("<b>x"), "{text}");
        assert_eq!(text.matches("\r\nTo: ").count(), 1);
    }
}
