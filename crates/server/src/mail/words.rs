//! What mails say. Each language is a file, and each mail in it a few sentences; the layout is the templates'.

mod chinese;
mod english;
mod german;
mod spanish;

use crate::domain::{language::Language, mail::Letter};

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
        Language::German => german::words(letter, facts),
        Language::Spanish => spanish::words(letter, facts),
        Language::Chinese => chinese::words(letter, facts),
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
                let words = words(*letter, language, facts);
                assert!(words.subject.chars().count() < 78 && !words.subject.contains(['\r', '\n']), "{words:?}");
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
        for (letter, language) in
            Letter::ALL.iter().flat_map(|letter| Language::ALL.map(|language| (*letter, language)))
        {
            let subject = words(letter, language, facts).subject;
            assert!(!subject.contains("evil") && !subject.contains("a@b"), "{subject}");
        }
    }

    #[test]
    fn no_letter_has_words_of_another_language() {
        let facts = Facts { host: "id.example", address: "a@b.example", detail: "totp" };
        let said = |letter, language| {
            let words = words(letter, language, facts);
            [vec![words.subject], words.before, words.after, vec![words.button.to_owned()]].concat()
        };
        for letter in Letter::ALL {
            let english = said(*letter, Language::English);
            for language in [Language::German, Language::Spanish, Language::Chinese] {
                let theirs = said(*letter, language);
                assert_eq!(theirs.len(), english.len(), "{theirs:?}");
                assert!(!theirs.iter().any(|text| !text.is_empty() && english.contains(text)), "{theirs:?}");
            }
        }
    }
}
