//! How clients look on the pages (ADM-05): nothing that anybody chose becomes markup, a style, or a request of the browser.

use base64_simd::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client},
    rig::{Answer, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";
const EVIL: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}";

/// A picture of one red pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\x03\x01\x01\0\
                       \xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82";

async fn brand(rig: &Rig, id: &str, change: &Value) -> Answer {
    rig.admin(Method::PUT, &format!("/api/admin/clients/{id}/brand"), change).await
}

/// The page's policy.
fn policy(page: &Answer) -> &str {
    page.headers["content-security-policy"].to_str().unwrap()
}

/// Nothing that the page loads comes from anywhere but the issuer, and no picture from anywhere at all. The one script is that of
/// passkeys, where they are shown.
#[track_caller]
fn is_closed(page: &Answer) {
    const PASSKEYS: &str = "<script src=\"/ui/passkey.js\" defer></script>";
    let script = if page.body.contains(PASSKEYS) { "script-src 'self';" } else { "script-src 'none';" };
    for part in ["default-src 'none'", "style-src 'self'", script, "require-trusted-types-for 'script'"] {
        assert!(policy(page).contains(part), "{}", policy(page));
    }
    assert!(!policy(page).contains("unsafe") && !policy(page).contains('*'), "{}", policy(page));
    for mark in ["<script", " style=", "src=\"http", "<img src"] {
        assert!(!page.body.replace(PASSKEYS, "").contains(mark), "{mark} in {}", page.body);
    }
}

/// The sign-in page of a client, and the consent page behind it.
async fn pages(rig: &Rig, client: &Client) -> [Answer; 2] {
    let mut browser = Browser::new(rig);
    let begun = browser.get(&client.url(&[])).await.expect(303);
    let first = browser.follow(&begun).await.expect(200);
    let to = browser.sign_in(&first, ADA, PASSWORD).await.expect(303);
    [first, browser.follow(&to).await.expect(200)]
}

both! {
    async fn a_client_is_recognised_on_its_pages(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::web(&rig, "shop").await;
        for page in pages(&rig, &client).await {
            assert!(!page.body.contains("class=\"logo\"") && !page.body.contains("/ui/brand/"), "{}", page.body);
            assert!(!policy(&page).contains("img-src"));
            is_closed(&page);
        }
        let wanted = json!({
            "logo": STANDARD.encode_to_string(PIXEL), "colour": "#FFEE00", "policy_uri": "https://shop.example/privacy",
            "tos_uri": "https://shop.example/terms?a=1&b=2",
        });
        let set = brand(&rig, "shop", &wanted).await.expect(200).json();
        assert_eq!((&set["colour"], &set["logo"]), (&json!("#ffee00"), &wanted["logo"]));
        for page in pages(&rig, &client).await {
            assert!(page.body.contains("<img class=\"logo\" src=\"data:image/png;base64,iVBORw0KGgo"), "{}", page.body);
            assert!(page.body.contains("<link rel=\"stylesheet\" href=\"/ui/brand/ffee00\">"), "{}", page.body);
            assert!(page.body.contains("href=\"https://shop.example/privacy\" target=\"_blank\" rel=\"noopener noreferrer nofollow\""));
            assert!(page.body.contains("https://shop.example/terms?a=1&#38;b=2"), "{}", page.body);
            assert!(policy(&page).contains(" img-src data:;"), "{}", policy(&page));
            is_closed(&page);
        }
        // What is left out stays, an empty text takes away, and a client that is removed leaves nothing.
        let less = brand(&rig, "shop", &json!({ "logo": "", "tos_uri": "" })).await.expect(200).json();
        assert_eq!(less, json!({ "logo": null, "colour": "#ffee00", "policy_uri": "https://shop.example/privacy", "tos_uri": null }));
        assert_eq!(rig.admin(Method::GET, "/api/admin/clients/shop/brand", &json!({})).await.expect(200).json(), less);
        rig.admin(Method::DELETE, "/api/admin/clients/shop", &json!({})).await.expect(204);
        brand(&rig, "shop", &wanted).await.refused(404, "not-found");
        brand(&rig, "nobody", &wanted).await.refused(404, "not-found");
    }

    // ADM-05: everything that a stranger may choose, at its worst.
    async fn hostile_looks_are_refused_or_stay_text(rig: Rig) {
        rig.register(ADA).await;
        let client = Client::add(&rig, json!({
            "client_id": "evil", "name": EVIL, "redirect_uris": ["https://evil.example/cb"],
        })).await;
        let encoded = |bytes: &[u8]| json!(STANDARD.encode_to_string(bytes));
        let large = [PIXEL, &vec![0; 32 * 1024][..]].concat();
        for (field, value) in [
            ("logo", json!("https://evil.example/logo.png")),
            ("logo", json!("data:image/svg+xml,<svg onload=alert(1)>")),
            ("logo", encoded(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")),
            ("logo", encoded(b"GIF89a\x01\0\x01\0\0\0\0;")),
            ("logo", encoded(&PIXEL[..40])),
            ("logo", encoded(&large)),
            ("colour", json!("red")),
            ("colour", json!("#fff")),
            ("colour", json!("#ffffff;}*{display:none")),
            ("colour", json!("url(https://evil.example/x)")),
            ("colour", json!("#ffffff\n")),
            ("policy_uri", json!("javascript:alert(1)")),
            ("policy_uri", json!("http://evil.example/")),
            ("policy_uri", json!("https://evil.example/\" onmouseover=\"alert(1)")),
            ("policy_uri", json!("https://bank.example@evil.example/")),
            ("tos_uri", json!("data:text/html,<script>alert(1)</script>")),
            ("tos_uri", json!("//evil.example/")),
            ("tos_uri", json!("https://evil.example/<script>")),
        ] {
            let refused = brand(&rig, "evil", &json!({ field: value })).await.refused(422, "invalid-value");
            assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.body);
        }
        brand(&rig, "evil", &json!({ "style": "x" })).await.refused(400, "malformed-json");
        // A name is text; what it hides behind a picture does not get into the page.
        let tail = [PIXEL, b"<script>alert(1)</script>"].concat();
        let kept = brand(&rig, "evil", &json!({ "logo": STANDARD.encode_to_string(&tail) })).await.expect(200).json();
        assert_eq!(kept["logo"], STANDARD.encode_to_string(PIXEL));
        for page in pages(&rig, &client).await {
            assert!(page.body.contains("&#60;script&#62;"), "{}", page.body);
            assert!(page.body.contains("{{7*7}}"), "{}", page.body);
            is_closed(&page);
        }
        // A name that turns the direction of writing could read as another's.
        for name in ["Bank\u{202e}live", "\u{200b}", " ", "a\u{2066}b"] {
            let change = json!({ "name": name });
            rig.admin(Method::PUT, "/api/admin/clients/evil", &change).await.refused(422, "invalid-value");
        }
    }
}

// ADM-05: the style is made of six digits, whatever the address says.
#[tokio::test]
async fn a_style_is_a_colour_and_nothing_else() {
    let rig = Rig::sqlite().await;
    let style = rig.get("/ui/brand/ffee00").send().await.expect(200);
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(style.headers["x-content-type-options"], "nosniff");
    assert!(style.body.starts_with(":root { --accent: light-dark(#"), "{}", style.body);
    // Yellow on white cannot be read: it is darkened.
    assert!(!style.body.contains("light-dark(#ffee00"), "{}", style.body);
    for bad in
        ["", "red", "fff", "ffee0", "ffee000", "FFEE0G", "%23ffee00", "ffee00.css", "ffee00%7D*%7B", "ffee0%0A", "../x"]
    {
        let answer = rig.get(&format!("/ui/brand/{bad}")).send().await.expect(404);
        assert!(!answer.headers["content-type"].to_str().unwrap().contains("css"), "{bad}");
    }
}
