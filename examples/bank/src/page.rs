//! The applications' few pages.

use axum::response::Html;

/// A page with this title and these paragraphs, which are HTML already.
pub fn page(title: &str, body: &str) -> Html<String> {
    let title = text(title);
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:4rem auto;\
         padding:0 1rem;color-scheme:light dark}}button,a.button{{font:inherit;padding:.6rem 1.2rem;border-radius:.5rem;\
         border:1px solid;background:none;color:inherit;text-decoration:none;cursor:pointer}}</style>\
         <h1>{title}</h1>{body}"
    ))
}

/// A text as HTML.
pub fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one() {
        assert_eq!(text("<b a=\"1\" c='2'>&"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }
}
