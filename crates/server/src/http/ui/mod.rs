//! Pages for people: typed templates (`templates/`), one style, one script that is not needed and one that passkeys need, a strict policy
//! (CSR-09).

pub mod account;
pub mod assets;
pub mod consent;
pub mod device;
pub mod email;
mod errand;
pub mod invitation;
mod letter;
pub mod mfa;
pub mod password;
pub mod register;
pub mod signin;
pub mod signout;
pub mod upstream;

use askama::Template;
use axum::{
    extract::{FromRequest, Request},
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use super::{body::Form, error::PageError};
use crate::{
    app::App,
    config::Issuer,
    domain::{
        brand::{Brand, PageUri},
        client::ClientId,
        upstream::Upstream,
    },
    errors,
    store::brands,
};

/// A page that a person reads. `host` is the issuer's, shown on every page.
#[derive(Debug, Template)]
#[template(path = "signin.html")]
pub(super) struct SignInPage<'a> {
    pub host: &'a str,
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
    pub host: &'a str,
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
    pub host: &'a str,
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
    pub host: &'a str,
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
    pub button: &'static str,
    /// There is another form, which people expect rather.
    pub quiet: bool,
    /// What the browser is asked, as JSON.
    pub options: String,
}

#[derive(Debug, Template)]
#[template(path = "passkey.html")]
pub(super) struct PasskeyPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub name: &'a str,
    /// What the browser is asked, as JSON.
    pub options: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage<'a> {
    pub host: &'a str,
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
    pub host: &'a str,
    pub code: &'a str,
    pub form: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub(super) struct DeviceConfirmPage<'a> {
    pub host: &'a str,
    pub client: &'a str,
    pub email: &'a str,
    pub code: &'a str,
    pub wishes: &'a [String],
    pub days: u64,
    pub request: &'a str,
    pub form: &'a str,
    pub look: &'a Look,
}

#[derive(Debug, Template)]
#[template(path = "device_done.html")]
pub(super) struct DeviceDonePage<'a> {
    pub host: &'a str,
    pub allowed: bool,
}

/// An answer that the browser posts to the client (OAuth 2.0 Form Post Response Mode).
#[derive(Template)]
#[template(path = "form_post.html")]
pub(super) struct FormPostPage<'a> {
    pub host: &'a str,
    pub action: &'a str,
    pub fields: &'a [(&'a str, &'a str)],
}

#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage<'a> {
    pub host: &'a str,
    pub title: &'a str,
    pub detail: Option<&'a str>,
    pub help: &'a str,
    pub code: &'a str,
    pub request_id: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "signout.html")]
pub(super) struct SignOutPage<'a> {
    pub host: &'a str,
    pub request: &'a str,
    pub form: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "signedout.html")]
pub(super) struct SignedOutPage<'a> {
    pub host: &'a str,
}

/// How the client of a page looks: texts, and what strict parsers let pass.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The picture itself, as an address.
    pub logo: Option<String>,
    /// Six hexadecimal digits.
    pub colour: Option<String>,
    /// What, where, and at which host.
    pub links: Vec<(&'static str, String, String)>,
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
        let link = |what, uri: PageUri| (what, uri.as_str().to_owned(), uri.host().to_owned());
        let policy = brand.policy.map(|uri| link("Privacy policy", uri));
        let terms = brand.terms.map(|uri| link("Terms of service", uri));
        Self {
            logo: brand.logo.map(|logo| logo.data_uri()),
            colour: brand.colour.map(|colour| colour.to_string().trim_start_matches('#').to_owned()),
            links: policy.into_iter().chain(terms).collect(),
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "forgot.html")]
pub(super) struct ForgotPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub email: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "reset.html")]
pub(super) struct ResetPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub token: &'a str,
    pub email: &'a str,
    pub least: usize,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "verify.html")]
pub(super) struct VerifyPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub token: &'a str,
    pub email: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "change.html")]
pub(super) struct ChangePage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub token: &'a str,
    pub address: &'a str,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "register.html")]
pub(super) struct RegisterPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub request: &'a str,
    pub email: &'a str,
    pub least: usize,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "registered.html")]
pub(super) struct RegisteredPage<'a> {
    pub host: &'a str,
    pub request: &'a str,
    /// The address must be confirmed first.
    pub confirm: bool,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    /// What was done a moment ago.
    pub done: Option<&'a str>,
    pub facts: &'a account::AccountFacts,
}

#[derive(Debug, Template)]
#[template(path = "security.html")]
pub(super) struct SecurityPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    /// What was done a moment ago.
    pub done: Option<&'a str>,
    pub facts: &'a account::SecurityFacts,
}

/// An authenticator app that is being added. The page holds a secret.
#[derive(Template)]
#[template(path = "authenticator.html")]
pub(super) struct AuthenticatorPage<'a> {
    pub host: &'a str,
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
    pub host: &'a str,
    pub title: &'a str,
    pub codes: &'a [String],
}

#[derive(Debug, Template)]
#[template(path = "delete.html")]
pub(super) struct DeletePage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub days: u64,
    pub problem: Option<&'a str>,
}

#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub(super) struct InvitationPage<'a> {
    pub host: &'a str,
    pub form: &'a str,
    pub token: &'a str,
    pub organisation: &'a str,
    pub email: &'a str,
}

/// What has happened, in a few sentences.
#[derive(Debug, Template)]
#[template(path = "note.html")]
pub(super) struct NotePage<'a> {
    pub host: &'a str,
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

/// Renders a page under its policy.
///
/// # Errors
/// `internal`
pub(super) fn page(page: &impl Template, status: StatusCode, leads: Leads<'_>) -> Result<Response, PageError> {
    rendered(page, status, leads, Loads::default())
}

/// Renders a page on which the script of passkeys may run.
///
/// # Errors
/// `internal`
pub(super) fn page_with_passkeys(
    page: &impl Template,
    status: StatusCode,
    leads: Leads<'_>,
    look: &Look,
) -> Result<Response, PageError> {
    rendered(page, status, leads, Loads { pictures: look.logo.is_some(), scripts: true })
}

/// Renders a page that carries a picture of its own.
///
/// # Errors
/// `internal`
pub(super) fn pictured(page: &impl Template, status: StatusCode) -> Result<Response, PageError> {
    rendered(page, status, Leads::Home, Loads { pictures: true, scripts: false })
}

/// Renders a page of a client, with what it shows of it.
///
/// # Errors
/// `internal`
pub(super) fn page_of(
    page: &impl Template,
    status: StatusCode,
    leads: Leads<'_>,
    look: &Look,
) -> Result<Response, PageError> {
    rendered(page, status, leads, Loads { pictures: look.logo.is_some(), scripts: false })
}

fn rendered(page: &impl Template, status: StatusCode, leads: Leads<'_>, loads: Loads) -> Result<Response, PageError> {
    let broken = |error: &dyn std::fmt::Display| PageError::new(errors::INTERNAL).log(error.to_string());
    let html = page.render().map_err(|error| broken(&error))?;
    let policy = HeaderValue::try_from(leads.policy(loads)).map_err(|error| broken(&error))?;
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    if !matches!(leads, Leads::On(_)) {
        // The page holds nothing that its address could give away, and browsers then name the origin of its forms (CSR-05).
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    Ok(response)
}

/// The issuer's host, as people know it.
pub(super) fn host(issuer: &Issuer) -> &str {
    issuer.host()
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
    use super::*;
    use crate::domain::{time::Timestamp, upstream::UpstreamName};

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

    /// Every page, with this text wherever one can be.
    fn full_of(text: &str) -> Vec<askama::Result<String>> {
        // Worse than any that can be stored: the parsers of `domain/brand.rs` let none of this pass.
        let look = Look {
            logo: Some(text.to_owned()),
            colour: Some(text.to_owned()),
            links: vec![("Privacy policy", text.to_owned(), text.to_owned())],
        };
        let wishes = [text.to_owned()];
        let passkey =
            PasskeyForm { action: "/ui/mfa/passkey", button: "Use a passkey", quiet: true, options: text.to_owned() };
        vec![
            SignInPage {
                host: text,
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
            MailedPage { host: text, client: text, request: text, form: text, problem: Some(text), look: &look }
                .render(),
            MailLinkPage { host: text, client: text, request: text, form: text, token: text, email: text, look: &look }
                .render(),
            SecondFactorPage {
                host: text,
                client: text,
                request: text,
                form: text,
                problem: Some(text),
                app: true,
                passkey: Some(&passkey),
                look: &look,
            }
            .render(),
            ConsentPage {
                host: text,
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
            DevicePage { host: text, code: text, form: text, problem: Some(text) }.render(),
            DeviceConfirmPage {
                host: text,
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

    /// Those on which nothing is asked, or one thing.
    fn full_of_ends(text: &str) -> [askama::Result<String>; 5] {
        [
            DeviceDonePage { host: text, allowed: true }.render(),
            SignOutPage { host: text, request: text, form: text }.render(),
            SignedOutPage { host: text }.render(),
            FormPostPage { host: text, action: text, fields: &[(text, text)] }.render(),
            ErrorPage { host: text, title: text, detail: Some(text), help: text, code: text, request_id: text }
                .render(),
        ]
    }

    /// Those of a person's own account.
    fn full_of_account(text: &str) -> [askama::Result<String>; 8] {
        let facts = account::AccountFacts::full_of(text);
        let security = account::SecurityFacts::full_of(text);
        [
            RegisterPage { host: text, form: text, request: text, email: text, least: 15, problem: Some(text) }
                .render(),
            RegisteredPage { host: text, request: text, confirm: true }.render(),
            DeletePage { host: text, form: text, days: 14, problem: Some(text) }.render(),
            PasskeyPage { host: text, form: text, name: text, options: text, problem: Some(text) }.render(),
            AccountPage { host: text, form: text, done: Some(text), facts: &facts }.render(),
            SecurityPage { host: text, form: text, done: Some(text), facts: &security }.render(),
            AuthenticatorPage { host: text, form: text, id: text, square: text, secret: text, problem: Some(text) }
                .render(),
            RecoveryCodesPage { host: text, title: text, codes: &[text.to_owned()] }.render(),
        ]
    }

    /// Those that mails lead to.
    fn full_of_mail(text: &str) -> [askama::Result<String>; 6] {
        [
            ForgotPage { host: text, form: text, email: text, problem: Some(text) }.render(),
            ResetPage { host: text, form: text, token: text, email: text, least: 15, problem: Some(text) }.render(),
            VerifyPage { host: text, form: text, token: text, email: text }.render(),
            ChangePage { host: text, form: text, token: text, address: text, problem: Some(text) }.render(),
            InvitationPage { host: text, form: text, token: text, organisation: text, email: text }.render(),
            NotePage { host: text, title: text, sentences: &[text] }.render(),
        ]
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
        for text in HOSTILE {
            for page in full_of(text)
                .into_iter()
                .chain(full_of_ends(text))
                .chain(full_of_mail(text))
                .chain(full_of_account(text))
            {
                let page = page.unwrap();
                // The page's own picture is where its template has it.
                let page = page.replace("<img class=\"logo\" ", "").replace("<img class=\"square\" ", "");
                for mark in ["<script>", "<img", "<svg", "' on", "\"><", "49"] {
                    assert!(!page.contains(mark), "{mark} in {page}");
                }
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
            include_str!("../../../templates/device_done.html"),
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
