//! Every row of the route table, without credentials and with wrong ones. A new row is tried by itself: the list is the
//! table.

use countersign_server::routes::{Access, ROUTES, Route, Takes, Verb};
use http::Method;

use crate::rig::{Answer, Ask, Rig};

fn path(route: &Route) -> String {
    route
        .path
        .replace("{id}", "usr_AAAAAAAAAAAAAAAAAAAAAQ")
        .replace("{invitation}", "inv_AAAAAAAAAAAAAAAA")
        .replace("{user}", "usr_AAAAAAAAAAAAAAAAAAAAAQ")
        .replace("{sid}", "AAAAAAAAAAAAAAAAAAAAAAAB")
        .replace("{stream}", "0")
        .replace("{colour}", "1f4fd1")
}

fn method(route: &Route) -> Method {
    match route.verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Delete => Method::DELETE,
    }
}

fn ask(rig: &Rig, route: &Route) -> Ask {
    let ask = rig.request(method(route), &path(route));
    match route.takes {
        Takes::Json(_) => ask.raw("application/json", "{}"),
        Takes::Form(_) => ask.form(&[("grant_type", "refresh_token"), ("client_id", "first-party")]),
        Takes::Nothing | Takes::Query(_) => ask,
    }
}

fn refused(route: &Route, answer: &Answer, with: &str) {
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{:?} {} with {with}: {status} {}", route.verb, route.path, answer.body);
    assert!(answer.headers.contains_key("x-request-id"));
    for word in ["SELECT", "panicked", "src/", "/tmp"] {
        assert!(!answer.body.contains(word), "{} leaks {word}: {}", route.path, answer.body);
    }
}

fn says(route: &Route, answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", route.path);
}

// ADM-02, OAU-18: by generation from the table.
#[tokio::test]
async fn every_row_refuses_whoever_has_no_right_to_it() {
    let rig = Rig::with(&[("feed.access", "client")]).await;
    let user = rig.user("ada@example.com").await;
    for route in ROUTES {
        let anonymous = ask(&rig, route).send().await;
        let garbage = ask(&rig, route).bearer("garbage").send().await;
        let altered = ask(&rig, route).bearer(&format!("{}A", user.access)).send().await;
        let cookie = ask(&rig, route).cookie("signin", "garbage").same_origin().send().await;
        let others = ask(&rig, route).bearer(&user.access).send().await;
        match route.access {
            Access::Public => {
                // A page of one's own sends whoever is not signed in to do so.
                let to_sign_in =
                    anonymous.headers.get("location").is_some_and(|to| to.as_bytes().starts_with(b"/ui/signin?"));
                let ok = anonymous.status.is_success() || to_sign_in || matches!(route.takes, Takes::Json(_));
                assert!(ok, "{}: {}", route.path, anonymous.body);
            }
            Access::Reader => {
                for answer in [&anonymous, &garbage, &altered, &cookie, &others] {
                    says(route, answer, 401, "invalid-client");
                }
            }
            Access::Credential => {
                for (with, answer) in [("nothing", &anonymous), ("garbage", &garbage), ("a garbage cookie", &cookie)] {
                    refused(route, answer, with);
                }
            }
            Access::SignedIn => {
                assert_eq!((anonymous.status.as_u16(), anonymous.code().as_str()), (401, "token-missing"));
                for (with, answer) in
                    [("garbage", &garbage), ("an altered token", &altered), ("a garbage cookie", &cookie)]
                {
                    refused(route, answer, with);
                    says(route, answer, 401, "token-invalid");
                }
            }
            Access::Admin => {
                assert_eq!(anonymous.status.as_u16(), 401, "{}", route.path);
                let wrong = [
                    ("garbage", &garbage),
                    ("an altered token", &altered),
                    ("a user's token", &others),
                    ("a cookie", &cookie),
                ];
                for (with, answer) in wrong {
                    refused(route, answer, with);
                    assert_eq!(answer.status.as_u16(), 401, "{} with {with}", route.path);
                }
            }
            Access::Local => {
                let admin = ask(&rig, route).bearer(&user.access).send().await;
                for answer in [&anonymous, &garbage, &admin] {
                    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "not-found"), "{}", route.path);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_administrator_and_the_socket_pass_where_others_do_not() {
    let rig = Rig::sqlite().await;
    let admin = rig.administrator().await;
    for route in ROUTES.iter().filter(|route| route.access == Access::Admin && route.verb == Verb::Get) {
        for answer in [ask(&rig, route).bearer(&admin).send().await, ask(&rig, route).local().send().await] {
            let status = answer.status.as_u16();
            assert!(matches!(status, 200 | 404), "{}: {status} {}", route.path, answer.body);
        }
    }
}

// ADM-01: the audience `admin` is for users with the role, and nobody gives it to themselves.
#[tokio::test]
async fn nobody_becomes_an_administrator_by_asking() {
    use serde_json::json;
    let rig = Rig::sqlite().await;
    let body = json!({ "email": "eve@example.com", "password": crate::rig::PASSWORD, "roles": ["admin"] });
    rig.post("/register").json(&body).send().await.refused(400, "malformed-json");
    rig.register("eve@example.com").await;
    let body = json!({ "email": "eve@example.com", "password": crate::rig::PASSWORD, "resource": "admin" });
    rig.post("/login").json(&body).send().await.refused(400, "invalid-target");
}

// NET-05: only what the table declares.
#[tokio::test]
async fn unknown_addresses_and_methods_have_their_own_answers() {
    let rig = Rig::sqlite().await;
    rig.get("/nothing/here").send().await.refused(404, "not-found");
    rig.request(Method::DELETE, "/login").send().await.refused(405, "method-not-allowed");
    rig.request(Method::TRACE, "/session").send().await.refused(405, "method-not-allowed");
}
