use std::{collections::BTreeSet, time::Duration};

use super::*;
use crate::{
    domain::{
        activity,
        audit::{AuditEvent, Event, Source},
        session::EndReason,
        time::Timestamp,
    },
    errors,
};

#[test]
fn times_are_said_as_people_say_them() {
    let now = Timestamp::from_secs(1_800_000_000);
    let rows = [
        (0, ["just now", "gerade eben", "ahora mismo", "刚刚"]),
        (60, ["1 minute ago", "vor 1 Minute", "hace 1 minuto", "1 分钟前"]),
        (3_599, ["59 minutes ago", "vor 59 Minuten", "hace 59 minutos", "59 分钟前"]),
        (3_600, ["1 hour ago", "vor 1 Stunde", "hace 1 hora", "1 小时前"]),
        (86_399, ["23 hours ago", "vor 23 Stunden", "hace 23 horas", "23 小时前"]),
        (86_400, ["yesterday", "gestern", "ayer", "昨天"]),
        (2 * 86_400, ["2 days ago", "vor 2 Tagen", "hace 2 días", "2 天前"]),
        (30 * 86_400, ["2026-12-16"; 4]),
    ];
    for (secs, expected) in rows {
        let ago = Ago::of(now.minus(Duration::from_secs(secs)), now);
        assert_eq!(Language::ALL.map(|language| (words(language).ago)(ago)), expected, "{secs} s");
    }
}

#[test]
fn a_device_is_called_as_its_owner_would() {
    let said = |program: &Program| Language::ALL.map(|language| (words(language).program)(program.clone()));
    let firefox = ["Firefox on Linux", "Firefox auf Linux", "Firefox en Linux", "Linux 上的 Firefox"];
    assert_eq!(said(&Program::On("Firefox", "Linux")), firefox);
    assert_eq!(said(&Program::Named("curl".to_owned())), ["curl"; 4]);
    assert_eq!(said(&Program::Unknown), ["Unknown device", "Unbekanntes Gerät", "Dispositivo desconocido", "未知设备"]);
}

#[test]
fn every_end_of_a_session_has_its_words() {
    for language in Language::ALL {
        let mut seen = BTreeSet::new();
        for reason in EndReason::ALL {
            let event = AuditEvent::new(Event::SessionEnded, Timestamp::from_secs(1), &Source::system(), [0; 8])
                .with("reason", reason.as_str());
            seen.insert(activity::words(&event, &words(language).happened).unwrap());
        }
        // A deleted user reads none; "revoked" is the application's own act.
        assert!(seen.len() >= EndReason::ALL.len() - 1, "{seen:?}");
    }
}

/// What is made of parts, with each kind of part.
fn made(words: &Words) -> Vec<String> {
    let mut made: Vec<String> = [
        Weakness::TooShort { min: 15, got: 3 },
        Weakness::TooLong { max: 1024 },
        Weakness::Repeated { unit: 2 },
        Weakness::Common,
        Weakness::Context,
        Weakness::Sequence,
    ]
    .map(words.weakness)
    .to_vec();
    made.extend([NoAccount::Unusable, NoAccount::NoAddress, NoAccount::None].map(|why| (words.no_account)("XX", why)));
    made.extend(words.wishes(&"openid profile email address phone roles offline_access x:y".parse().unwrap()));
    made.extend(words.wishes(&Scope::default()));
    made.extend([Some(7), None].map(|wait| words.sentence(errors::TOO_MANY_ATTEMPTS, wait)));
    made
}

#[test]
fn no_language_says_anything_in_the_words_of_another() {
    for (index, language) in Language::ALL.into_iter().enumerate() {
        let own = made(words(language));
        assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), own.len(), "{own:?}");
        for other in &Language::ALL[..index] {
            let theirs = made(words(*other));
            assert!(!own.iter().any(|sentence| theirs.contains(sentence)), "{language:?} {other:?}: {own:?}");
        }
    }
}

#[test]
fn what_people_can_cause_is_told_in_their_language_and_the_rest_in_english() {
    for language in [Language::German, Language::Spanish, Language::Chinese] {
        let words = words(language);
        let told = errors::CODES.iter().filter_map(|code| Some((code, words.problems.of(*code)?)));
        for (code, told) in told {
            assert!(told.title != code.title && told.help != code.help, "{}", code.name);
            // They stand before "." and "Try again", as the English ones do.
            assert!(!told.title.ends_with(['.', '。']) && told.help.ends_with(['.', '。']), "{}", code.name);
        }
        assert!(words.problems.of(errors::MALFORMED_JSON).is_none());
        assert_eq!(
            words.sentence(errors::MALFORMED_JSON, None).trim_end_matches(['.', '。']),
            errors::MALFORMED_JSON.title
        );
    }
}
