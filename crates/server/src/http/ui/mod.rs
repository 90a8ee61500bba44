//! Pages for people: typed templates (`templates/`), one style, one script that is not needed and one that passkeys need, a strict policy
//! (CSR-09).

pub mod account;
pub mod assets;
pub mod consent;
pub mod device;
pub mod email;
mod errand;
mod frame;
pub mod invitation;
pub mod language;
mod letter;
pub mod mfa;
pub mod password;
pub mod register;
pub mod signin;
pub mod signout;
pub mod upstream;
pub mod words;

use askama::Template;
use axum::extract::{FromRequest, Request};

pub(super) use self::frame::Frame;
use super::{body::Form, error::PageError};
use crate::{
    app::App,
    domain::{
        brand::{Brand, PageUri},
        client::ClientId,
        upstream::Upstream,
    },
    store::brands,
};

/// A page that a person reads.
#[derive(Debug, Template)]
#[template(path = "signin.html")]
pub(super) struct SignInPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub request: &'a str,
    pub form: &'a str,
    pub email: &'a str,
    pub problem: Option<&'a str>,
    /// Whether people may sign in by a code that is sent to them.
    pub by_mail: bool,
    /// Whether people may make accounts of their own.
    pub register: bool,
    pub passkey: Option<&'a PasskeyForm>,
    /// Other ways in.
    pub upstreams: &'a [Upstream],
    /// What is to become this account's once its password was right, and the name of where that is.
    pub link: Option<(&'a str, &'a str)>,
    pub look: &'a Look,
}

/// A place for the code of a mail.
#[derive(Debug, Template)]
#[template(path = "mailed.html")]
pub(super) struct MailedPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub request: &'a str,
    pub form: &'a str,
    pub problem: Option<&'a str>,
    pub look: &'a Look,
}

/// Where the link of such a mail leads.
#[derive(Debug, Template)]
#[template(path = "mail_link.html")]
pub(super) struct MailLinkPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub request: &'a str,
    pub form: &'a str,
    pub token: &'a str,
    pub email: &'a str,
    pub look: &'a Look,
}

#[derive(Debug, Template)]
#[template(path = "mfa.html")]
pub(super) struct SecondFactorPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub request: &'a str,
    pub form: &'a str,
    pub problem: Option<&'a str>,
    /// They have an authenticator app.
    pub app: bool,
    pub passkey: Option<&'a PasskeyForm>,
    pub look: &'a Look,
}

/// A form that the script of passkeys fills in; where it does not run, nobody sees it.
#[derive(Debug)]
pub(super) struct PasskeyForm {
    pub action: &'static str,
    pub words: &'static words::Passkey,
    pub button: &'static str,
    /// There is another form, which people expect rather.
    pub quiet: bool,
    /// What the browser is asked, as JSON.
    pub options: String,
}

#[derive(Debug, Template)]
#[template(path = "passkey.html")]
pub(super) struct PasskeyPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub name: &'a str,
    /// What the browser is asked, as JSON.
    pub options: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub destination: &'a str,
    pub email: &'a str,
    pub wishes: &'a [String],
    pub days: u64,
    pub request: &'a str,
    pub form: &'a str,
    pub look: &'a Look,
}

#[derive(Debug, Template)]
#[template(path = "device.html")]
pub(super) struct DevicePage<'a> {
    pub frame: &'a Frame<'a>,
    pub code: &'a str,
    pub form: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub(super) struct DeviceConfirmPage<'a> {
    pub frame: &'a Frame<'a>,
    pub client: &'a str,
    pub email: &'a str,
    pub code: &'a str,
    pub wishes: &'a [String],
    pub days: u64,
    pub request: &'a str,
    pub form: &'a str,
    pub look: &'a Look,
}

/// An answer that the browser posts to the client (OAuth 2.0 Form Post Response Mode).
#[derive(Template)]
#[template(path = "form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub frame: &'a Frame<'a>,
    pub action: &'a str,
    pub fields: &'a [(&'a str, &'a str)],
}

#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage<'a> {
    pub frame: &'a Frame<'a>,
    pub title: &'a str,
    pub detail: Option<&'a str>,
    /// The detail is English, and the page is not.
    pub foreign: bool,
    /// Sentences, and which of them are English on a page that is not.
    pub help: &'a [(&'a str, bool)],
    pub code: &'a str,
    pub request_id: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "signout.html")]
pub(super) struct SignOutPage<'a> {
    pub frame: &'a Frame<'a>,
    pub request: &'a str,
    pub form: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "signedout.html")]
pub(super) struct SignedOutPage<'a> {
    pub frame: &'a Frame<'a>,
}

/// How the client of a page looks: texts, and what strict parsers let pass.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The picture itself, as an address.
    pub logo: Option<String>,
    /// Six hexadecimal digits.
    pub colour: Option<String>,
    /// Where its pages are, and at which host.
    pub policy: Option<(String, String)>,
    pub terms: Option<(String, String)>,
}

impl Look {
    /// How this client looks.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of(app: &App, client: &ClientId) -> Result<Self, PageError> {
        let id = client.clone();
        let brand = app.store.read(move |tx| {
            let id = id.clone();
            Box::pin(async move { brands::find(tx, &id).await })
        });
        Ok(Self::from(brand.await?))
    }
}

impl From<Brand> for Look {
    fn from(brand: Brand) -> Self {
        let link = |uri: PageUri| (uri.as_str().to_owned(), uri.host().to_owned());
        Self {
            logo: brand.logo.map(|logo| logo.data_uri()),
            colour: brand.colour.map(|colour| colour.to_string().trim_start_matches('#').to_owned()),
            policy: brand.policy.map(link),
            terms: brand.terms.map(link),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub(super) struct ForgotPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub email: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub(super) struct ResetPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub token: &'a str,
    pub email: &'a str,
    pub least: usize,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "verify.html")]
pub(super) struct VerifyPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub token: &'a str,
    pub email: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "change.html")]
pub(super) struct ChangePage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub token: &'a str,
    pub address: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "register.html")]
pub(super) struct RegisterPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub request: &'a str,
    pub email: &'a str,
    pub least: usize,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "registered.html")]
pub(super) struct RegisteredPage<'a> {
    pub frame: &'a Frame<'a>,
    pub request: &'a str,
    /// The address must be confirmed first.
    pub confirm: bool,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    /// What was done a moment ago.
    pub done: Option<&'a str>,
    pub facts: &'a account::AccountFacts,
}

#[derive(Debug, Template)]
#[template(path = "security.html")]
pub(super) struct SecurityPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    /// What was done a moment ago.
    pub done: Option<&'a str>,
    pub facts: &'a account::SecurityFacts,
}

/// An authenticator app that is being added. The page holds a secret.
#[derive(Template)]
#[template(path = "authenticator.html")]
pub(super) struct AuthenticatorPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub id: &'a str,
    /// The square, as an address that holds the picture.
    pub square: &'a str,
    pub secret: &'a str,
    pub problem: Option<&'a str>,
}

/// Recovery codes, which are shown once.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub(super) struct RecoveryCodesPage<'a> {
    pub frame: &'a Frame<'a>,
    pub title: &'a str,
    pub codes: &'a [String],
}

#[derive(Debug, Template)]
#[template(path = "email.html")]
pub(super) struct EmailPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub email: &'a str,
    pub confirmed: bool,
    /// They have a password, which another address asks for.
    pub password: bool,
    /// What is in the form already.
    pub new: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub(super) struct DeletePage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub days: u64,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub(super) struct InvitationPage<'a> {
    pub frame: &'a Frame<'a>,
    pub form: &'a str,
    pub token: &'a str,
    pub organisation: &'a str,
    pub email: &'a str,
}

/// What has happened, in a few sentences.
#[derive(Debug, Template)]
#[template(path = "note.html")]
pub(super) struct NotePage<'a> {
    pub frame: &'a Frame<'a>,
    pub title: &'a str,
    pub sentences: &'a [&'a str],
}

/// What a page's policy lets its forms lead to, besides the issuer itself.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leads<'a> {
    Nowhere,
    /// To the issuer alone.
    Home,
    /// To the issuer, whose answer goes on to here: browsers apply the policy to redirects, too.
    HomeAndOn(&'a str),
    /// Here alone, and by itself if the browser runs the script.
    On(&'a str),
}

/// What a page's policy lets it load besides the style.
#[derive(Debug, Clone, Copy, Default)]
struct Loads {
    /// Pictures that the page carries itself, never one from anywhere.
    pictures: bool,
    /// The issuer's scripts.
    scripts: bool,
}

impl Leads<'_> {
    fn policy(self, loads: Loads) -> String {
        let pictures = if loads.pictures { " img-src data:;" } else { "" };
        let (script, forms) = match self {
            Self::Nowhere => ("'none'", "'none'".to_owned()),
            Self::Home => ("'none'", "'self'".to_owned()),
            Self::HomeAndOn(to) => ("'none'", format!("'self' {to}")),
            Self::On(to) => ("'self'", to.to_owned()),
        };
        let script = if loads.scripts { "'self'" } else { script };
        format!(
            "default-src 'none'; style-src 'self';{pictures} script-src {script}; form-action {forms}; base-uri 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    }
}

/// The form of a page, whose mistakes are answered by a page.
#[derive(Debug)]
pub struct PageForm(pub Form);

impl FromRequest<App> for PageForm {
    type Rejection = PageError;

    async fn from_request(request: Request, app: &App) -> Result<Self, PageError> {
        Form::from_request(request, app).await.map(Self).map_err(PageError::from)
    }
}

#[cfg(test)]
mod tests {
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
            MailLinkPage { frame, client: text, request: text, form: text, token: text, email: text, look: &look }
                .render(),
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
                let left: Vec<_> =
                    said.intersection(&original).filter(|text| !COMMON.contains(&text.as_str())).collect();
                assert!(left.is_empty(), "{left:?} in {page}");
            }
        }
    }

    // CSR-09
    #[test]
    fn policies_allow_what_the_page_needs_and_no_more() {
        for leads in
            [Leads::Nowhere, Leads::Home, Leads::HomeAndOn("https://a.example"), Leads::On("https://a.example")]
        {
            let policy = leads.policy(Loads::default());
            assert!(!policy.contains("img-src"), "{policy}");
            let with = |pictures, scripts| leads.policy(Loads { pictures, scripts });
            assert_eq!(with(true, false).replace(" img-src data:;", ""), policy);
            assert_eq!(with(false, true), policy.replace("script-src 'none'", "script-src 'self'"));
            for part in [
                "default-src 'none';",
                "base-uri 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            ] {
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
}
