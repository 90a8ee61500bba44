//! `GET /ui/style.css` and `GET /ui/page.js`.

use axum::response::IntoResponse;
use http::header;

const STYLE: &str = include_str!("../../../assets/style.css");
pub(super) const SCRIPT: &str = include_str!("../../../assets/page.js");
/// Short, so that pages of a new version do not meet the style of the one before for long.
const CACHE: &str = "public, max-age=300";

/// `GET /ui/style.css`
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], STYLE)
}

/// `GET /ui/page.js`
pub async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], SCRIPT)
}
