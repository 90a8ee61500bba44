//! Signing in with another provider: npm's oidc-provider, and another issuer of our own.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{
    Client, Site,
    browser::{Browser, EMAIL, Page},
    text,
};
use crate::{peers::Process, rig::member};

const SECRET: &str = "s3cret of the issuer, with /+% in it";

/// An issuer, an upstream of it, and a client whose people come from there.
struct Both {
    site: Site,
    upstream: Process,
    address: String,
}

impl Both {
    /// The upstream signs its ID tokens with this algorithm.
    fn open(alg: &str, more: &[&str]) -> Self {
        let site =
            Site::open("http", &[("COUNTERSIGN_OUTBOUND_ALLOW", "127.0.0.1"), ("COUNTERSIGN_REGISTRATION", "open")]);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let upstream = Process::node("oidc_provider.mjs");
        let redirect = format!("{}/ui/upstream/callback/other", site.issuer);
        let start =
            json!({ "op": "start", "port": port, "id": "issuer", "secret": SECRET, "redirect": redirect, "alg": alg });
        upstream.ask(&start).unwrap();
        let address = format!("http://127.0.0.1:{port}");
        let add = [
            "upstream",
            "add",
            "other",
            &address,
            "--client-id",
            "issuer",
            "--secret-file",
            "-",
            "--label",
            "Other & Co",
        ];
        let added = site.rig.expect(0, &[&add[..], more].concat(), SECRET).0;
        assert!(added.contains(&redirect), "{added}");
        Self { site, upstream, address }
    }

    fn at(&self, sub: &str, claims: &Value) {
        self.upstream.ask(&json!({ "op": "at", "sub": sub, "claims": claims })).unwrap();
    }

    /// From the client over the sign-in page to the upstream and back: the address that the issuer is called back at.
    fn travel(&self, browser: &mut Browser, url: &str) -> String {
        let page = follow(browser, url);
        let away = browser.get(&link(&page));
        self.elsewhere(&away)
    }

    fn elsewhere(&self, away: &Page) -> String {
        assert_eq!(away.status, 303, "{}", away.body);
        let to = away.location().unwrap();
        assert!(to.starts_with(&self.address), "{to}");
        let port = self.address.rsplit(':').next().unwrap().parse().unwrap();
        Browser::new(([127, 0, 0, 1], port).into(), &self.address).visit(to)
    }

    /// Signs in at a client; what it learns.
    fn sign_in(&self, client: &Client<'_>, browser: &mut Browser) -> Value {
        let back = self.travel(browser, &client.begin(&json!({})));
        client.good("finish", json!({ "url": browser.visit(&back) }))
    }
}

/// The sign-in page of a request.
fn follow(browser: &mut Browser, url: &str) -> Page {
    let begun = browser.get(url);
    browser.get(begun.location().unwrap())
}

/// Where the page's other way in leads.
#[track_caller]
fn link(page: &Page) -> String {
    assert!(page.body.contains("Continue with Other &#38; Co"), "{}", page.body);
    let at = page.body.find("href=\"/ui/upstream?").unwrap() + "href=\"".len();
    page.body[at..].split('"').next().unwrap().replace("&amp;", "&")
}

fn ada() -> Value {
    json!({ "email": EMAIL, "email_verified": true })
}

#[test]
fn a_person_comes_from_another_provider_and_is_known_again() {
    for alg in ["ES256", "RS256"] {
        let both = Both::open(alg, &[]);
        let library = Process::node("openid_client.mjs");
        let client = both.site.client(&library, "app", "client_secret_basic", false);
        both.at("subject-1", &json!({ "email": "eve@example.org", "email_verified": true }));
        let first = both.sign_in(&client, &mut both.site.browser());
        let again = both.sign_in(&client, &mut both.site.browser());
        assert_eq!(first["claims"]["sub"], again["claims"]["sub"], "{alg}");
        assert_eq!((&first["claims"]["email"], &first["claims"]["amr"]), (&Value::Null, &Value::Null));
        let token = text(&first["tokens"], "access_token");
        let told = client.good("userinfo", json!({ "token": token, "sub": first["claims"]["sub"] }));
        assert_eq!((&told["email"], &told["email_verified"]), (&json!("eve@example.org"), &json!(true)));

        // Another subject is another person, whatever address they have.
        both.at("subject-2", &json!({ "email": "mallory@example.org", "email_verified": true }));
        let other = both.sign_in(&client, &mut both.site.browser());
        assert_ne!(other["claims"]["sub"], first["claims"]["sub"]);
        let events = both.site.rig.admin("GET", "/api/admin/audit", "").unwrap().1;
        assert!(events.contains("\"upstream\":\"other\""), "{events}");
        // Single sign-on: the browser that came from there is signed in here.
        let mut browser = both.site.browser();
        both.sign_in(&client, &mut browser);
        assert!(browser.visit(&client.begin(&json!({}))).contains("code="));
    }
}

// LOG-05 does not help here: the provider has said who it is. But an address is no proof (OpenID Connect Core §5.7).
#[test]
fn an_address_alone_opens_no_account() {
    let both = Both::open("ES256", &[]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    let own = client.sign_in(&mut both.site.browser());
    both.at("subject-1", &ada());

    let mut browser = both.site.browser();
    let url = client.begin(&json!({}));
    let back = both.travel(&mut browser, &url);
    let asked = browser.get(&back);
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("There is an account with this address already"), "{}", asked.body);
    let wrong = browser.sign_in(&asked, EMAIL, "no, that is not the password");
    assert_eq!(wrong.status, 401);
    assert!(wrong.body.contains("There is an account with this address already"), "{}", wrong.body);
    // The wrong password linked nothing.
    let again = browser.get(&both.travel(&mut both.site.browser(), &url));
    assert_eq!(again.status, 400, "another browser's");

    // The right one does, once and for all.
    let signed_in = client.good("finish", json!({ "url": browser.answer(wrong, "allow") }));
    assert_eq!(signed_in["claims"]["sub"], own["claims"]["sub"]);
    let mut fresh = both.site.browser();
    let known = both.sign_in(&client, &mut fresh);
    assert_eq!(known["claims"]["sub"], own["claims"]["sub"]);
    // It goes with the password by which it came: whoever knew that one may have been somebody else.
    both.site.rig.expect(0, &["user", "password", EMAIL], "nine purple owls danced\n");
    let mut later = both.site.browser();
    let back = both.travel(&mut later, &url);
    let asked = later.get(&back);
    assert!(asked.body.contains("There is an account with this address already"), "{}", asked.body);
}

// LOG-05, LOG-13: an address that the other provider has not verified is worth nothing, and the page is the same whether it is
// known here or not.
#[test]
fn an_address_that_nobody_verified_says_nothing() {
    let both = Both::open("ES256", &[]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    client.sign_in(&mut both.site.browser());
    for said in [json!(false), Value::Null] {
        let [known, unknown] = [EMAIL, "nobody@example.org"].map(|email| {
            both.at("subject-1", &json!({ "email": email, "email_verified": said }));
            let mut browser = both.site.browser();
            let back = both.travel(&mut browser, &client.begin(&json!({})));
            let page = browser.get(&back);
            assert_eq!(page.status, 403, "{}", page.body);
            assert!(page.body.contains("names no e-mail address that it knows to be yours"), "{}", page.body);
            // What differs from one visit to the next.
            let form = [page.hidden("request"), page.hidden("form")];
            form.iter().fold(page.body.clone(), |body, word| body.replace(word, "…"))
        });
        assert_eq!(known, unknown);
    }
    let users = both.site.rig.expect(0, &["user", "list"], "").0;
    assert!(!users.contains("nobody@example.org"), "{users}");
}

// LOG-13: a way in that was connected can be taken away, with everything that may have come of it.
#[test]
fn an_administrator_disconnects_a_way_in() {
    let both = Both::open("ES256", &[]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    both.at("subject-1", &json!({ "email": "eve@example.org", "email_verified": true }));
    let mut away = both.site.browser();
    let first = both.sign_in(&client, &mut both.site.browser());
    let back = both.travel(&mut away, &client.begin(&json!({})));
    let rig = &both.site.rig;
    let (list, _) = rig.expect(0, &["user", "identities", "eve@example.org"], "");
    assert!(list.contains(&both.address) && list.contains("subject-1"), "{list}");
    let disconnect = ["user", "disconnect", "eve@example.org", &*both.address];
    rig.expect(1, &[&disconnect[..], &["subject-2"]].concat(), "");
    let token = text(&first["tokens"], "refresh_token");
    let kept = client.good("refresh", json!({ "token": token }));
    rig.expect(0, &[&disconnect[..], &["subject-1"]].concat(), "");
    client.refused("refresh", json!({ "token": text(&kept["tokens"], "refresh_token") }), "invalid_grant");
    // Neither whoever was on the way, nor whoever comes now: the account is there, and only its password would open it.
    for page in [away.get(&back), both.site.browser().get(&back)] {
        assert!(page.location().is_none(), "{:?}", page.location());
    }
    let mut browser = both.site.browser();
    let asked = both.travel(&mut browser, &client.begin(&json!({})));
    assert!(browser.get(&asked).body.contains("There is an account with this address already"));
    assert!(!rig.expect(0, &["user", "identities", "eve@example.org"], "").0.contains("subject-1"));
}

// CSR-06, RFC 9700 §4.4, §4.5: what comes back is of use in the browser that left, once, and from the provider that was asked.
#[test]
fn an_answer_is_good_once_in_the_browser_that_left() {
    let both = Both::open("ES256", &[]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    both.at("subject-1", &json!({ "email": "eve@example.org", "email_verified": true }));

    let mut browser = both.site.browser();
    let back = both.travel(&mut browser, &client.begin(&json!({})));
    assert_eq!(both.site.browser().get(&back).status, 400, "a browser without cookies");
    let mut other = both.site.browser();
    follow(&mut other, &client.begin(&json!({})));
    assert_eq!(other.get(&back).status, 400, "another browser");
    assert!(browser.visit(&back).contains("code="));
    assert_eq!(browser.get(&back).status, 400, "used");

    let mut browser = both.site.browser();
    let url = client.begin(&json!({ "prompt": "login" }));
    let cases = [
        ("iss=http", "iss=https", 502),
        // Mix-up: the answer of one provider where those of another are awaited, whatever it says of who it is.
        ("/callback/other", "/callback/rogue", 502),
        ("code=", "code=x", 502),
        ("code=", "cod=", 502),
        ("state=", "state=A", 400),
    ];
    for (from, to, status) in cases {
        let back = both.travel(&mut browser, &url);
        let page = browser.get(&back.replacen(from, to, 1));
        assert_eq!(page.status, status, "{to}: {}", page.body);
        if status == 502 {
            assert!(page.body.contains("Signing in with Other &#38; Co did not work"), "{}", page.body);
        }
    }
    both.upstream.ask(&json!({ "op": "at", "sub": "subject-1", "refuses": true })).unwrap();
    let refused = both.travel(&mut browser, &url);
    assert!(refused.contains("error=access_denied"), "{refused}");
    assert_eq!(browser.get(&refused).status, 502);
}

// R1: what ends a person's sessions ends the sign-in that is under way elsewhere, too.
#[test]
fn who_is_disabled_or_ended_meanwhile_does_not_come_in() {
    let both = Both::open("ES256", &[]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    both.at("subject-1", &json!({ "email": "eve@example.org", "email_verified": true }));
    let user = text(&both.sign_in(&client, &mut both.site.browser())["claims"], "sub");
    let rig = &both.site.rig;

    let mut browser = both.site.browser();
    let back = both.travel(&mut browser, &client.begin(&json!({})));
    rig.expect(0, &["revoke", "user", &user], "");
    assert_eq!(browser.get(&back).status, 400, "ended while they were away");
    let mut browser = both.site.browser();
    both.sign_in(&client, &mut browser);

    rig.expect(0, &["user", "disable", &user], "");
    let mut browser = both.site.browser();
    let back = both.travel(&mut browser, &client.begin(&json!({})));
    let page = browser.get(&back);
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("your account here cannot be used"), "{}", page.body);
}

#[test]
fn strangers_stay_outside_where_nobody_may_sign_up() {
    let both = Both::open("ES256", &["--no-signup"]);
    let library = Process::node("openid_client.mjs");
    let client = both.site.client(&library, "app", "client_secret_basic", false);
    for (claims, words) in [
        (json!({ "email": "eve@example.org", "email_verified": true }), "you have no account here yet"),
        (json!({}), "names no e-mail address"),
        (json!({ "email": "no address", "email_verified": true }), "names no e-mail address"),
        (json!({ "email": "eve@example.org" }), "names no e-mail address"),
    ] {
        both.at("subject-1", &claims);
        let mut browser = both.site.browser();
        let back = both.travel(&mut browser, &client.begin(&json!({})));
        let page = browser.get(&back);
        assert_eq!(page.status, 403);
        assert!(page.body.contains(words), "{}", page.body);
    }
}

/// Two issuers of our own, one of which is the other's upstream; and what the commands say.
#[test]
fn an_issuer_of_ours_is_an_upstream_too() {
    let (here, there) = (
        Site::open("http", &[("COUNTERSIGN_OUTBOUND_ALLOW", "127.0.0.1"), ("COUNTERSIGN_REGISTRATION", "open")]),
        Site::open("http", &[]),
    );
    let wanted = json!({
        "client_id": "here", "grants": ["authorization_code"], "audiences": ["api"], "scopes": ["openid", "email"],
        "redirect_uris": [format!("{}/ui/upstream/callback/there", here.issuer)], "consent": "implied",
    });
    let (status, added) = there.rig.admin("POST", "/api/admin/clients", &wanted.to_string()).unwrap();
    assert_eq!(status, 201, "{added}");
    let secret = member(&added, "client_secret");
    let add = [
        "upstream",
        "add",
        "there",
        &there.issuer,
        "--client-id",
        "here",
        "--secret-file",
        "-",
        "--label",
        "Other & Co",
    ];
    here.rig.expect(0, &add, &secret);
    let wrong = here.rig.expect(1, &["upstream", "add", "wrong", "http://127.0.0.1:9", "--client-id", "x"], "").1;
    assert!(wrong.contains("http://127.0.0.1:9 cannot be asked: no answer"), "{wrong}");
    let again = here.rig.expect(1, &add, &secret).1;
    assert!(again.contains("an upstream of this name exists"), "{again}");
    let list = here.rig.expect(0, &["upstream", "list"], "").0;
    assert!(list.contains(&there.issuer) && !list.contains(&secret), "{list}");

    let library = Process::node("openid_client.mjs");
    let client = here.client(&library, "app", "client_secret_basic", false);
    let (mut browser, mut elsewhere) = (here.browser(), there.browser());
    let page = follow(&mut browser, &client.begin(&json!({ "prompt": "login" })));
    let away = browser.get(&link(&page));
    let back = elsewhere.visit(away.location().unwrap());
    let asked = browser.get(&back);
    // Nobody has verified Ada's address there, and the issuer says so.
    assert!(asked.body.contains("names no e-mail address that it knows to be yours"), "{}", asked.body);

    here.rig.expect(0, &["upstream", "remove", "there"], "");
    assert!(!follow(&mut here.browser(), &client.begin(&json!({}))).body.contains("Continue with"));
}
