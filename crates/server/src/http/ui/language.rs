//! `POST /ui/language`: another language for this browser, from the footer of any page; the account is left as it is.

use axum::{extract::State, response::Response};
use http::{HeaderMap, Method, header};

use super::PageForm;
use crate::{
    app::App,
    config::Issuer,
    domain::{language::Language, preferences::Preferences},
    errors,
    http::{
        authorize::go,
        context::Context,
        cookies::{Cookie, require_same_origin},
        error::PageError,
    },
};

/// The form's parameters.
pub const PARAMETERS: &[&str] = &["language", "back"];

/// How long a browser keeps what was chosen in it, seconds.
const KEPT: u64 = 400 * 24 * 60 * 60;

/// `POST /ui/language`: back to the page that was left, which goes on as if nothing had happened (CSR-05).
pub async fn choose(
    State(app): State<App>,
    context: Context,
    method: Method,
    headers: HeaderMap,
    PageForm(form): PageForm,
) -> Result<Response, PageError> {
    require_same_origin(&app.config.issuer, &method, &headers)?;
    let unknown = || PageError::new(errors::MALFORMED_FORM).detail("language is none of ui_locales_supported");
    let language = form.get("language").and_then(Language::parse).ok_or_else(unknown)?;
    let mut response = go(&back(&app.config.issuer, form.get("back").unwrap_or_default()))?;
    keep(&app, Preferences { language: Some(language), ..context.chosen }, &mut response);
    Ok(response)
}

/// Lets the browser remember what its person chose; what an application asked for before counts for nothing then.
pub(super) fn keep(app: &App, chosen: Preferences, response: &mut Response) {
    let kept = Cookie::Preferences.set(&app.config.issuer, &chosen.to_cookie(), KEPT);
    for cookie in [kept, Cookie::Locale.clear(&app.config.issuer)].into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A page of the issuer, as browsers would read the address; the account's, if it is none.
fn back(issuer: &Issuer, wanted: &str) -> String {
    let home = || "/account".to_owned();
    let Ok(base) = url::Url::parse(issuer.as_str()) else { return home() };
    let read = base.join(wanted).ok().filter(|to| to.origin() == base.origin() && wanted.starts_with('/'));
    read.map_or_else(home, |to| to[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Origin, Settings};

    // CSR-05: no address of anybody else.
    #[test]
    fn nobody_is_sent_anywhere_else() {
        let mut settings = Settings::default();
        settings.set("issuer", "https://id.example".to_owned(), Origin::Flag).unwrap();
        let issuer = Config::new(&settings).unwrap().issuer;
        for (wanted, expected) in [
            ("/ui/signin?request=a-b_c", "/ui/signin?request=a-b_c"),
            ("/logout?x=1&y=%2F#part", "/logout?x=1&y=%2F"),
            ("/ui/../account", "/account"),
            ("", "/account"),
            ("ui/signin", "/account"),
            ("//evil.example/", "/account"),
            ("/\\evil.example/", "/account"),
            ("/\t/evil.example/", "/account"),
            ("\\\\evil.example", "/account"),
            ("https://evil.example/", "/account"),
            ("https://id.example/ui/device", "/account"),
            ("javascript:alert(1)", "/account"),
            ("/a\r\nset-cookie: x=y", "/aset-cookie:%20x=y"),
        ] {
            assert_eq!(back(&issuer, wanted), expected, "{wanted:?}");
        }
    }
}
