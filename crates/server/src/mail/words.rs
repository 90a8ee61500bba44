//! What mails say. Each language is a file, and each mail in it a few sentences; the layout is the templates'.

mod english;

use crate::domain::mail::{Language, Letter};

/// What the sentences are about.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The issuer's host, as people know it.
    pub host: &'a str,
    /// The address that the mail goes to.
    pub address: &'a str,
    /// What the letter's detail is.
    pub detail: &'a str,
}

/// One mail in words. No sentence holds markup; the link stands between the paragraphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub before: Vec<String>,
    /// What the link's button says.
    pub button: &'static str,
    pub after: Vec<String>,
}

/// The words of a letter.
pub fn words(letter: Letter, language: Language, facts: Facts<'_>) -> Words {
    match language {
        Language::English => english::words(letter, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_speaks_every_language_and_names_the_host() {
        let facts = Facts { host: "id.example", address: "a@b.example", detail: "new@b.example" };
        for language in Language::ALL {
            for letter in Letter::ALL {
                let words = words(*letter, *language, facts);
                assert!(words.subject.len() < 78 && !words.subject.contains(['\r', '\n']), "{words:?}");
                assert!(!words.before.is_empty(), "{words:?}");
                assert_eq!(letter.purpose().is_some(), !words.button.is_empty(), "{words:?}");
                let whole = format!("{} {} {}", words.subject, words.before.join(" "), words.after.join(" "));
                assert!(whole.contains("id.example"), "{words:?}");
                assert!(!whole.contains(['<', '>']), "{words:?}");
            }
        }
    }

    // The subject is what a stranger can read on a locked screen, and what no stranger may write into.
    #[test]
    fn no_subject_holds_what_somebody_typed() {
        let facts = Facts { host: "id.example", address: "a@b.example", detail: "evil@b.example" };
        for letter in Letter::ALL {
            let subject = words(*letter, Language::English, facts).subject;
            assert!(!subject.contains("evil") && !subject.contains("a@b"), "{subject}");
        }
    }
}
