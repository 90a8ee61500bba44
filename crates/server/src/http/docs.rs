//! `/docs/errors`: one entry for each error code, made from the table. `/openapi.json`: made from the route table.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse};
use bytes::Bytes;
use http::header;

use crate::{errors::CODES, openapi};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;\
color-scheme:light dark}h2{font-size:1.1rem;margin-top:2rem}code{font-family:ui-monospace,monospace}";
/// The page has no script, no form and no link to elsewhere; its one style element is named by its hash.
const POLICY: &str =
    "default-src 'none'; style-src 'sha256-STYLE'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs/errors`
pub async fn errors() -> impl IntoResponse {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Error codes</title><style>{STYLE}</style><main><h1>Error codes</h1>\
         <p>Every error answer names one of these codes, and the request id that the operator finds in the log.</p>"
    );
    for code in CODES {
        // Every text here is ours, from the table; nothing a stranger sent is shown.
        let row = format!(
            "<section id=\"{0}\"><h2><code>{0}</code> · {1}</h2><p><strong>{2}.</strong> {3}</p></section>",
            code.name, code.status, code.title, code.help
        );
        page.push_str(&row);
    }
    page.push_str("</main></html>");
    (
        [(header::CONTENT_SECURITY_POLICY, policy()), (header::CACHE_CONTROL, "public, max-age=3600".to_owned())],
        Html(page),
    )
}

fn policy() -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, STYLE.as_bytes());
    POLICY.replace("STYLE", &base64_simd::STANDARD.encode_to_string(digest.as_ref()))
}

/// `GET /openapi.json`: made when somebody asks for it first. Few servers are ever asked, and making it costs memory.
pub async fn openapi() -> impl IntoResponse {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi::document().to_string()));
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}
