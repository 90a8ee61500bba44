//! No input panics, and nothing but the token itself passes for the token.

use countersign_verify::{Rejection, TestIssuer, Verifier};
use http::{HeaderMap, HeaderValue, Method, Uri, header};
use proptest::prelude::*;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn fixture() -> &'static (Verifier, String) {
    static FIXTURE: std::sync::OnceLock<(Verifier, String)> = std::sync::OnceLock::new();
    FIXTURE.get_or_init(|| {
        let issuer = TestIssuer::new("https://id.test").audience("orders");
        let verifier = issuer.verifier_builder().accept_cookie().build().unwrap();
        (verifier, issuer.token().role("admin").scope("a b").sign())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_refused(text in "\\PC*") {
        prop_assert!(fixture().0.verify(&text).is_err());
    }

    // TOK-08: not even another spelling of the same token
    #[test]
    fn any_change_of_one_character_is_refused(at in any::<prop::sample::Index>(), with in any::<char>()) {
        let (verifier, token) = fixture();
        let mut changed: Vec<char> = token.chars().collect();
        let at = at.index(changed.len());
        changed[at] = with;
        let changed: String = changed.into_iter().collect();
        prop_assert_eq!(verifier.verify(&changed).is_ok(), &changed == token);
    }

    #[test]
    fn any_cut_or_addition_is_refused(at in any::<prop::sample::Index>(), added in "[A-Za-z0-9_.=-]{0,8}") {
        let (verifier, token) = fixture();
        let at = at.index(token.len() + 1);
        let changed = format!("{}{added}{}", &token[..at], &token[at..]);
        prop_assert_eq!(verifier.verify(&changed).is_ok(), added.is_empty());
        prop_assert!(at == token.len() || verifier.verify(&token[..at]).is_err());
    }

    #[test]
    fn parts_of_any_json_are_refused(head in ".{0,60}", body in ".{0,60}", signature in any::<[u8; 64]>()) {
        use countersign_verify::jose::b64::encode;
        let text = format!("{}.{}.{}", encode(head), encode(body), encode(signature));
        let refused = matches!(fixture().0.verify(&text), Err(Rejection::Malformed(_) | Rejection::Type { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn any_headers_get_an_answer(
        lines in prop::collection::vec((0..5_usize, prop::collection::vec(any::<u8>(), 0..80)), 0..6),
        post in any::<bool>(),
    ) {
        let names = [header::AUTHORIZATION, header::COOKIE, header::ORIGIN, header::UPGRADE, header::HOST];
        let prefixes: [&[u8]; 5] = [b"Bearer ", b"__Host-access=", b"https://", b"", b""];
        let mut headers = HeaderMap::new();
        for (name, bytes) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&[prefixes[name], bytes.as_slice()].concat()) {
                headers.append(names[name].clone(), value);
            }
        }
        let method = if post { Method::POST } else { Method::GET };
        match runtime().block_on(fixture().0.verify_request(&method, &Uri::from_static("/"), &headers)) {
            Ok(claims) => prop_assert!(claims.is_none()),
            Err(rejection) => prop_assert!(rejection.response().status().is_client_error()),
        }
    }
}
