use std::collections::BTreeSet;

use askama::Template;

use super::*;
use crate::domain::{language::Language, time::Timestamp, upstream::UpstreamName};

fn labelled(text: &str) -> Upstream {
    Upstream {
        name: UpstreamName::parse("other").unwrap(),
        label: text.to_owned(),
        issuer: text.to_owned(),
        client_id: text.to_owned(),
        sealed_secret: None,
        signup: true,
        created_at: Timestamp::from_secs(0),
    }
}

/// Worse than any that can be stored: the parsers of `domain/brand.rs` let none of this pass.
fn look_full_of(text: &str) -> Look {
    Look {
        logo: Some(text.to_owned()),
        colour: Some(text.to_owned()),
        policy: Some((text.to_owned(), text.to_owned())),
        terms: Some((text.to_owned(), text.to_owned())),
    }
}

/// Every page, with this text wherever one can be.
fn full_of(frame: &Frame<'_>, text: &str) -> Vec<askama::Result<String>> {
    let look = look_full_of(text);
    let passkey = PasskeyForm {
        action: "/ui/mfa/passkey",
        words: &frame.words.passkey,
        button: frame.words.passkey.use_one,
        quiet: true,
        options: text.to_owned(),
    };
    vec![
        SignInPage {
            frame,
            client: text,
            request: text,
            form: text,
            email: text,
            problem: Some(text),
            by_mail: true,
            register: true,
            passkey: Some(&passkey),
            upstreams: &[labelled(text)],
            link: Some((text, text)),
            look: &look,
        }
        .render(),
        MailedPage { frame, client: text, request: text, form: text, problem: Some(text), look: &look }.render(),
        MailLinkPage { frame, client: text, request: text, form: text, token: text, email: text, look: &look }.render(),
        SecondFactorPage {
            frame,
            client: text,
            request: text,
            form: text,
            problem: Some(text),
            app: true,
            passkey: Some(&passkey),
            look: &look,
        }
        .render(),
    ]
}

/// Those on which somebody is let in or not.
fn full_of_consents(frame: &Frame<'_>, text: &str) -> [askama::Result<String>; 3] {
    let (look, wishes) = (look_full_of(text), [text.to_owned()]);
    [
        ConsentPage {
            frame,
            client: text,
            destination: text,
            email: text,
            wishes: &wishes,
            days: 1,
            request: text,
            form: text,
            look: &look,
        }
        .render(),
        DevicePage { frame, code: text, form: text, problem: Some(text) }.render(),
        DeviceConfirmPage {
            frame,
            client: text,
            email: text,
            code: text,
            wishes: &wishes,
            days: 1,
            request: text,
            form: text,
            look: &look,
        }
        .render(),
    ]
}

/// Those behind which nothing is waiting any more.
fn full_of_ends(frame: &Frame<'_>, text: &str) -> [askama::Result<String>; 4] {
    [
        SignOutPage { frame, request: text, form: text }.render(),
        SignedOutPage { frame }.render(),
        FormPostPage { frame, action: text, fields: &[(text, text)] }.render(),
        ErrorPage {
            frame,
            title: text,
            detail: Some(text),
            foreign: true,
            help: &[(text, true)],
            code: text,
            request_id: text,
        }
        .render(),
    ]
}

/// Those of a person's own account.
fn full_of_account(frame: &Frame<'_>, text: &str) -> [askama::Result<String>; 10] {
    let facts = account::AccountFacts::full_of(text);
    let security = account::SecurityFacts::full_of(text);
    let email = |password| {
        let (email, problem) = (text, Some(text));
        EmailPage { frame, form: text, email, confirmed: false, password, new: text, problem }.render()
    };
    [
        RegisterPage { frame, form: text, request: text, email: text, least: 15, problem: Some(text) }.render(),
        RegisteredPage { frame, request: text, confirm: true }.render(),
        email(true),
        email(false),
        DeletePage { frame, form: text, days: 14, problem: Some(text) }.render(),
        PasskeyPage { frame, form: text, name: text, options: text, problem: Some(text) }.render(),
        AccountPage { frame, form: text, done: Some(text), facts: &facts }.render(),
        SecurityPage { frame, form: text, done: Some(text), facts: &security }.render(),
        AuthenticatorPage { frame, form: text, id: text, square: text, secret: text, problem: Some(text) }.render(),
        RecoveryCodesPage { frame, title: text, codes: &[text.to_owned()] }.render(),
    ]
}

/// Those that mails lead to.
fn full_of_mail(frame: &Frame<'_>, text: &str) -> [askama::Result<String>; 6] {
    [
        ForgotPage { frame, form: text, email: text, problem: Some(text) }.render(),
        ResetPage { frame, form: text, token: text, email: text, least: 15, problem: Some(text) }.render(),
        VerifyPage { frame, form: text, token: text, email: text }.render(),
        ChangePage { frame, form: text, token: text, address: text, problem: Some(text) }.render(),
        InvitationPage { frame, form: text, token: text, organisation: text, email: text }.render(),
        NotePage { frame, title: text, sentences: &[text] }.render(),
    ]
}

fn every_page(frame: &Frame<'_>, text: &str) -> Vec<String> {
    let pages = full_of(frame, text)
        .into_iter()
        .chain(full_of_consents(frame, text))
        .chain(full_of_ends(frame, text))
        .chain(full_of_mail(frame, text));
    pages.chain(full_of_account(frame, text)).map(Result::unwrap).collect()
}

// ADM-05: what a stranger chose stays text wherever it is shown.
#[test]
fn stored_text_never_becomes_markup() {
    const HOSTILE: [&str; 6] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><svg onload=alert(1)>",
        "{{7*7}}{% include %}",
        "&lt;script&gt;javascript:alert(1)",
    ];
    for (text, language) in HOSTILE.into_iter().flat_map(|text| Language::ALL.map(|language| (text, language))) {
        for page in every_page(&Frame::full_of(text, language), text) {
            // The page's own picture is where its template has it.
            let page = page.replace("<img class=\"logo\" ", "").replace("<img class=\"square\" ", "");
            for mark in ["<script>", "<img", "<svg", "' on", "\"><", "49"] {
                assert!(!page.contains(mark), "{mark} in {page}");
            }
        }
    }
}

/// What a person reads of a page, or has read to them.
fn texts(page: &str) -> BTreeSet<String> {
    let between = page.split('>').filter_map(|piece| piece.split('<').next());
    let labels = page.split("aria-label=\"").skip(1).filter_map(|piece| piece.split('"').next());
    let said = between.chain(labels).map(str::trim);
    said.filter(|text| text.chars().any(char::is_alphabetic) && !text.contains("MARK")).map(str::to_owned).collect()
}

// No page has words of another language: whatever two of them have in common stands here.
#[test]
fn pages_are_in_one_language() {
    const COMMON: [&str; 5] = ["Code", "English", "Deutsch", "Español", "简体中文"];
    let pages = Language::ALL.map(|language| every_page(&Frame::full_of("MARK", language), "MARK"));
    for (own, language) in pages.iter().zip(Language::ALL) {
        for (page, english) in own.iter().zip(&pages[0]) {
            assert!(page.contains(&format!("<html lang=\"{}\" data-theme=\"dark\">", language.as_str())), "{page}");
            assert!(page.contains("<meta name=\"color-scheme\" content=\"dark\">"), "{page}");
            assert!(!page.contains("{{") && page.len() <= 30 * 1024, "{page}");
            let (said, original) = (texts(page), texts(english));
            if language == Language::English {
                continue;
            }
            let left: Vec<_> = said.intersection(&original).filter(|text| !COMMON.contains(&text.as_str())).collect();
            assert!(left.is_empty(), "{left:?} in {page}");
        }
    }
}

// CSR-09
#[test]
fn policies_allow_what_the_page_needs_and_no_more() {
    for leads in [Leads::Nowhere, Leads::Home, Leads::HomeAndOn("https://a.example"), Leads::On("https://a.example")] {
        let policy = leads.policy(Loads::default());
        assert!(!policy.contains("img-src"), "{policy}");
        let with = |pictures, scripts| leads.policy(Loads { pictures, scripts });
        assert_eq!(with(true, false).replace(" img-src data:;", ""), policy);
        assert_eq!(with(false, true), policy.replace("script-src 'none'", "script-src 'self'"));
        for part in
            ["default-src 'none';", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
        {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    }
    assert!(
        Leads::HomeAndOn("https://a.example")
            .policy(Loads::default())
            .contains("form-action 'self' https://a.example;")
    );
    assert!(Leads::On("app:").policy(Loads::default()).contains("form-action app:;"));
}

#[test]
fn the_scripts_are_short_and_the_pages_hold_none() {
    assert!(assets::SCRIPT.lines().count() + assets::PASSKEY_SCRIPT.lines().count() <= 300);
    for mark in ["innerHTML", "eval", "fetch(", "http:", "https:"] {
        assert!(!assets::PASSKEY_SCRIPT.contains(mark), "{mark}");
    }
    for page in [
        include_str!("../../../templates/signin.html"),
        include_str!("../../../templates/register.html"),
        include_str!("../../../templates/registered.html"),
        include_str!("../../../templates/account.html"),
        include_str!("../../../templates/delete.html"),
        include_str!("../../../templates/email.html"),
        include_str!("../../../templates/security.html"),
        include_str!("../../../templates/authenticator.html"),
        include_str!("../../../templates/recovery_codes.html"),
        include_str!("../../../templates/mfa.html"),
        include_str!("../../../templates/mailed.html"),
        include_str!("../../../templates/mail_link.html"),
        include_str!("../../../templates/passkey.html"),
        include_str!("../../../templates/passkey_form.html"),
        include_str!("../../../templates/consent.html"),
        include_str!("../../../templates/device.html"),
        include_str!("../../../templates/device_confirm.html"),
        include_str!("../../../templates/base.html"),
        include_str!("../../../templates/look_head.html"),
        include_str!("../../../templates/look_logo.html"),
        include_str!("../../../templates/look_links.html"),
        include_str!("../../../templates/forgot.html"),
        include_str!("../../../templates/reset.html"),
        include_str!("../../../templates/verify.html"),
        include_str!("../../../templates/change.html"),
        include_str!("../../../templates/note.html"),
    ] {
        assert!(
            !["<script", "style=", "onclick", "onload", "onsubmit"].iter().any(|mark| page.contains(mark)),
            "{page}"
        );
    }
}
