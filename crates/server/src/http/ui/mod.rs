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
#[cfg(test)]
mod tests;
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
