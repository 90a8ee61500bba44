//! `GET /ui/style.css`, `GET /ui/brand/{colour}`, `GET /ui/page.js` and `GET /ui/passkey.js`.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::header;

use crate::{app::App, domain::brand::Colour, errors, http::error::PageError};

const STYLE: &str = include_str!("../../../assets/style.css");
pub(super) const SCRIPT: &str = include_str!("../../../assets/page.js");
pub(super) const PASSKEY_SCRIPT: &str = include_str!("../../../assets/passkey.js");
/// Short, so that pages of a new version do not meet the style of the one before for long.
const CACHE: &str = "public, max-age=300";

/// `GET /ui/style.css`
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], STYLE)
}

/// `GET /ui/brand/{colour}`: six hexadecimal digits, and nothing else of the address gets into the style.
pub async fn brand(State(_): State<App>, Path(digits): Path<String>) -> Result<Response, PageError> {
    let colour = Colour::parse(&format!("#{digits}")).map_err(|_| PageError::new(errors::NOT_FOUND))?;
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, CACHE)];
    Ok((headers, colour.style()).into_response())
}

/// `GET /ui/page.js`
pub async fn script() -> impl IntoResponse {
    javascript(SCRIPT)
}

/// `GET /ui/passkey.js`
pub async fn passkey_script() -> impl IntoResponse {
    javascript(PASSKEY_SCRIPT)
}

fn javascript(script: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], script)
}
