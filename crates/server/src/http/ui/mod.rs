//! Pages for people: typed templates (`templates/`), one style, one script that is not needed, a strict policy (CSR-09).

pub mod assets;
pub mod consent;
pub mod device;
mod errand;
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
use crate::{app::App, config::Issuer, domain::upstream::Upstream, errors};

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
    /// Other ways in.
    pub upstreams: &'a [Upstream],
    /// What is to become this account's once its password was right, and the name of where that is.
    pub link: Option<(&'a str, &'a str)>,
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

impl Leads<'_> {
    fn policy(self) -> String {
        let (script, forms) = match self {
            Self::Nowhere => ("'none'", "'none'".to_owned()),
            Self::Home => ("'none'", "'self'".to_owned()),
            Self::HomeAndOn(to) => ("'none'", format!("'self' {to}")),
            Self::On(to) => ("'self'", to.to_owned()),
        };
        format!(
            "default-src 'none'; style-src 'self'; script-src {script}; form-action {forms}; base-uri 'none'; \
             frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )
    }
}

/// Renders a page under its policy.
///
/// # Errors
/// `internal`
pub(super) fn page(page: &impl Template, status: StatusCode, leads: Leads<'_>) -> Result<Response, PageError> {
    let broken = |error: &dyn std::fmt::Display| PageError::new(errors::INTERNAL).log(error.to_string());
    let html = page.render().map_err(|error| broken(&error))?;
    let policy = HeaderValue::try_from(leads.policy()).map_err(|error| broken(&error))?;
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
    issuer.as_str().split_once("://").map_or(issuer.as_str(), |(_, host)| host)
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
            let wishes = [text.to_owned()];
            let pages = [
                SignInPage {
                    host: text,
                    client: text,
                    request: text,
                    form: text,
                    email: text,
                    problem: Some(text),
                    upstreams: &[labelled(text)],
                    link: Some((text, text)),
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
                }
                .render(),
                DeviceDonePage { host: text, allowed: true }.render(),
                SignOutPage { host: text, request: text, form: text }.render(),
                SignedOutPage { host: text }.render(),
                FormPostPage { host: text, action: text, fields: &[(text, text)] }.render(),
                ErrorPage { host: text, title: text, detail: Some(text), help: text, code: text, request_id: text }
                    .render(),
            ];
            for page in pages {
                let page = page.unwrap();
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
            let policy = leads.policy();
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
        assert!(Leads::HomeAndOn("https://a.example").policy().contains("form-action 'self' https://a.example;"));
        assert!(Leads::On("app:").policy().contains("form-action app:;"));
    }

    #[test]
    fn the_script_is_short_and_the_pages_hold_none() {
        assert!(assets::SCRIPT.lines().count() <= 300);
        for page in [
            include_str!("../../../templates/signin.html"),
            include_str!("../../../templates/consent.html"),
            include_str!("../../../templates/device.html"),
            include_str!("../../../templates/device_confirm.html"),
            include_str!("../../../templates/device_done.html"),
        ] {
            assert!(
                !["<script", "style=", "onclick", "onload", "onsubmit"].iter().any(|mark| page.contains(mark)),
                "{page}"
            );
        }
    }
}
