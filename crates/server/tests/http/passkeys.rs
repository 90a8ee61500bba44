//! Passkeys: `/api/account/factors/passkeys`, `/account/passkey`, `/ui/signin/passkey`, `/ui/mfa/passkey`. The authenticator is a
//! program that lies wherever a test wants it to (`support/soft.rs`).

use std::time::Duration;

use countersign_server::store::passkeys;
use http::Method;
use serde_json::{Value, json};

use crate::{
    authenticator::{Authenticator, events, login, to_second},
    both,
    browser::{Browser, Client, hidden, location, query},
    mailbox::{letters, one},
    rig::{Answer, ISSUER, PASSWORD, Rig},
    support::soft::{self, Key, Soft},
};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// What the page asks the browser.
#[track_caller]
fn options(page: &Answer) -> Value {
    let begin = "data-options=\"";
    let at = page.body.find(begin).unwrap_or_else(|| panic!("no options: {} {}", page.status, page.body));
    let text = page.body[at + begin.len()..].split('"').next().unwrap();
    serde_json::from_str(&text.replace("&#34;", "\"").replace("&#38;", "&")).unwrap()
}

/// A page without what is new in it each time.
fn still(page: &Answer) -> String {
    let challenge = options(page)["challenge"].as_str().unwrap().to_owned();
    page.body.replace(&challenge, "…").replace(&hidden(page, "request"), "…").replace(&hidden(page, "form"), "…")
}

async fn asked(rig: &Rig, access: &str) -> Value {
    let asked = rig.post("/api/account/factors/passkeys/options").bearer(access).send().await.expect(200);
    asked.json()["publicKey"].clone()
}

async fn finish(rig: &Rig, access: &str, body: &Value) -> Answer {
    rig.post("/api/account/factors/passkeys").json(body).bearer(access).send().await
}

/// Adds a passkey to the account of whoever has just signed in with this token.
async fn add(rig: &Rig, access: &str, mut passkey: Soft) -> Soft {
    let made = passkey.create(&asked(rig, access).await);
    finish(rig, access, &json!({ "credential": made })).await.expect(201);
    passkey
}

/// Makes an account with a passkey.
async fn ada(rig: &Rig) -> Soft {
    let user = rig.user(ADA).await;
    add(rig, &user.access, Soft::new(ISSUER, &[9; 20])).await
}

/// The sign-in page, in a browser of its own.
async fn page<'r>(rig: &'r Rig, client: &Client) -> (Browser<'r>, Answer) {
    let mut browser = Browser::new(rig);
    let to = browser.get(&client.url(&[])).await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    (browser, page)
}

/// Sends what an authenticator says from a page.
async fn send(browser: &mut Browser<'_>, page: &Answer, path: &str, credential: &Value) -> Answer {
    let (request, form, credential) = (hidden(page, "request"), hidden(page, "form"), credential.to_string());
    browser.post(path, &[("request", &request), ("form", &form), ("credential", &credential)]).await
}

async fn sign_in(browser: &mut Browser<'_>, page: &Answer, passkey: &Soft) -> Answer {
    send(browser, page, "/ui/signin/passkey", &passkey.get(&options(page))).await
}

async fn second(browser: &mut Browser<'_>, page: &Answer, passkey: &Soft) -> Answer {
    send(browser, page, "/ui/mfa/passkey", &passkey.get(&options(page))).await
}

/// From the sign-in to what the client learns: `amr`, `acr`, and when.
async fn claims(rig: &Rig, browser: &mut Browser<'_>, client: &Client, mut to: Answer) -> (String, String, i64) {
    if location(&to).starts_with("/ui/consent") {
        let consent = browser.follow(&to).await.expect(200);
        to = browser.decide(&consent, "allow").await.expect(303);
    }
    let tokens = client.redeem(rig, &query(&to)["code"]).await.expect(200);
    let claims = client.id_token(rig, &tokens).await;
    (claims.amr.join(" "), claims.acr.unwrap(), claims.auth_time.unwrap())
}

async fn listed(rig: &Rig, access: &str) -> Value {
    rig.get("/api/account/factors").bearer(access).send().await.expect(200).json()
}

async fn count(rig: &Rig, sql: &'static str) -> i64 {
    let rows = rig.app.store.read(move |tx| Box::pin(async move { tx.fetch_all(sql, &[]).await })).await.unwrap();
    rows[0].get(0).unwrap()
}

both! {
    // MFA-05: it counts at once, brings recovery codes with the first factor, and is told by mail.
    async fn a_passkey_is_added_by_whoever_has_just_signed_in(rig: Rig) {
        let user = rig.user(ADA).await;
        letters(&rig).await;
        let mut passkey = Soft::new(ISSUER, &[9; 20]);
        let options = asked(&rig, &user.access).await;
        assert_eq!((&options["rp"]["id"], &options["user"]["name"]), (&json!("localhost"), &json!(ADA)));
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert_eq!(options["excludeCredentials"], json!([]));
        // MFA-04: the handle is no id that anybody else knows.
        let id = rig.session(&user.access).await.expect(200).text("user_id");
        assert!(!options.to_string().contains(&id));
        let made = json!({ "name": "My phone", "credential": passkey.create(&options) });
        let added = finish(&rig, &user.access, &made).await.expect(201).json();
        assert_eq!((&added["name"], added["recovery_codes"].as_array().unwrap().len()), (&json!("My phone"), 10));
        // MFA-04: the challenge is used; and this sign-in began without the second factor.
        finish(&rig, &user.access, &made).await.refused(401, "step-up-needed");
        let list = listed(&rig, &user.access).await;
        assert_eq!((&list["items"][0]["kind"], &list["items"][0]["id"]), (&json!("passkey"), &added["id"]));
        assert_eq!((&list["recovery_codes_left"], &list["may_change"]), (&json!(10), &json!(false)));
        let told = one(&letters(&rig).await, "A second factor for your account");
        assert!(told.to == ADA && told.text.replace("\r\n", " ").contains("a passkey"), "{told:?}");
        assert!(events(&rig, ADA).await.contains(&"user_factor_added".to_owned()));
        // The password alone opens nothing from now on.
        let owed = rig.login(ADA).await.refused(401, "mfa-required");
        assert_eq!(owed.json()["methods"], json!(["recovery_code"]));
        let own = rig.get("/api/account/export").bearer(&user.access).send().await.expect(200).json();
        assert_eq!(own["factors"][0]["name"], "My phone");
    }

    // MFA-04, MFA-06: a passkey alone is both factors, and says what kind of key it was; the id of the sign-in is new (CSR-03).
    async fn a_passkey_alone_signs_in(rig: Rig) {
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, page) = page(&rig, &client).await;
        assert_eq!(options(&page)["allowCredentials"], json!([]));
        rig.advance(Duration::from_secs(60));
        let answer = passkey.get(&options(&page));
        let to = send(&mut browser, &page, "/ui/signin/passkey", &answer).await.expect(303);
        assert!(browser.cookie("signin").is_some() && browser.cookie("device").is_some());
        let now = rig.app.clock.now().secs();
        let said = claims(&rig, &mut browser, &client, to).await;
        assert_eq!(said, ("swk user mfa".to_owned(), "2".to_owned(), now));
        let account = browser.get("/account").await.expect(200);
        assert!(account.body.contains("Signed in with a passkey"), "{}", account.body);
        // Freshly enough to add a key on a chain, which has its own word.
        let signin = browser.cookie("signin").unwrap().to_owned();
        let own = rig.post("/api/account/factors/passkeys/options").cookie("signin", &signin).same_origin();
        let options = own.send().await.expect(200).json()["publicKey"].clone();
        assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1);
        let mut stick = Soft::stick(ISSUER, &[8; 64]);
        stick.key = Key::ed25519();
        let body = json!({ "name": "Stick", "credential": stick.create(&options) });
        let added = rig.post("/api/account/factors/passkeys").json(&body).cookie("signin", &signin).same_origin();
        assert_eq!(added.send().await.expect(201).json()["recovery_codes"], Value::Null);
        stick.says.count += 1;
        let (mut other, page) = self::page(&rig, &client).await;
        let to = sign_in(&mut other, &page, &stick).await.expect(303);
        assert_eq!(claims(&rig, &mut other, &client, to).await.0, "hwk user mfa");
    }

    // MFA-03, MFA-06: after the password, presence is enough.
    async fn a_passkey_is_the_second_step_after_a_password(rig: Rig) {
        let mut passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = to_second(&mut browser, &client.url(&[]), ADA).await;
        assert!(!page.body.contains("six digits") && page.body.contains("Recovery code"), "{}", page.body);
        assert_eq!(options(&page)["allowCredentials"].as_array().unwrap().len(), 1);
        assert_eq!(browser.cookie("signin"), None);
        passkey.says.flags &= !soft::VERIFIED;
        passkey.says.handle = None;
        let to = second(&mut browser, &page, &passkey).await.expect(303);
        assert_eq!(claims(&rig, &mut browser, &client, to).await.0, "pwd swk user mfa");
        // I-8: what was finished is over.
        second(&mut browser, &page, &passkey).await.refused_page("form-expired");
    }

    // MFA-06, CSR-03: a sign-in of before is made stronger.
    async fn a_passkey_makes_a_sign_in_stronger(rig: Rig) {
        let user = rig.user(ADA).await;
        let (shop, bank) = (Client::web(&rig, "shop").await, Client::web(&rig, "bank").await);
        let mut browser = Browser::new(&rig);
        browser.tokens(&shop, &[], ADA).await;
        let (weak, signed_in) = (browser.cookie("signin").unwrap().to_owned(), rig.app.clock.now().secs());
        let passkey = add(&rig, &user.access, Soft::new(ISSUER, &[9; 20])).await;
        rig.advance(Duration::from_secs(60));
        let to = browser.get(&bank.url(&[("acr_values", "2")])).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        let to = second(&mut browser, &page, &passkey).await.expect(303);
        assert_ne!(browser.cookie("signin").unwrap(), weak);
        rig.get("/session").cookie("signin", &weak).send().await.refused(401, "token-invalid");
        let said = claims(&rig, &mut browser, &bank, to).await;
        assert_eq!(said, ("pwd swk user mfa".to_owned(), "2".to_owned(), signed_in));
    }

    // MFA-04, LOG-05: every lie, and whoever may not sign in, is answered with the same page.
    async fn what_is_wrong_is_refused_in_one_way(rig: Rig) {
        type Lie = fn(&mut Soft);
        const LIES: [Lie; 13] = [
            |soft| soft.says.origin = "http://localhost".into(),
            |soft| soft.says.origin = "https://evil.example".into(),
            |soft| soft.says.site = "evil.example".into(),
            |soft| soft.says.kind = Some("webauthn.create"),
            |soft| soft.says.challenge = Some("AAAA".into()),
            |soft| soft.says.more = json!({ "crossOrigin": true }),
            |soft| soft.says.more = json!({ "topOrigin": "https://evil.example" }),
            |soft| soft.says.flags &= !soft::PRESENT,
            |soft| soft.says.flags &= !soft::VERIFIED,
            |soft| soft.says.handle = None,
            |soft| soft.says.handle = Some(vec![1; 32]),
            |soft| soft.key = Key::es256(),
            |soft| soft.id = vec![1; 20],
        ];
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, mut shown) = page(&rig, &client).await;
        let mut seen = std::collections::BTreeSet::new();
        for lie in LIES {
            let mut liar = passkey.clone();
            lie(&mut liar);
            shown = sign_in(&mut browser, &shown, &liar).await.expect(401);
            assert!(shown.body.contains("The passkey was not accepted."), "{}", shown.body);
            assert!(shown.headers.contains_key("www-authenticate"));
            seen.insert(still(&shown));
        }
        assert_eq!((seen.len(), browser.cookie("signin")), (1, None));
        for garbage in [json!(null), json!({}), json!("x"), json!({ "id": "AAAA", "type": "public-key", "response": {} })] {
            shown = send(&mut browser, &shown, "/ui/signin/passkey", &garbage).await.expect(401);
            seen.insert(still(&shown));
        }
        assert_eq!(seen.len(), 1);
        // The same passkey, telling the truth.
        sign_in(&mut browser, &shown, &passkey).await.expect(303);
    }

    // LOG-05: nor does it say that an account is disabled, or a passkey removed.
    async fn who_may_not_sign_in_hears_what_a_stranger_hears(rig: Rig) {
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, page) = page(&rig, &client).await;
        let stranger = Soft::new(ISSUER, &[5; 20]);
        let unknown = still(&sign_in(&mut browser, &page, &stranger).await.expect(401));
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/disable", &json!({})).await.expect(200);
        assert_eq!(still(&sign_in(&mut browser, &page, &passkey).await.expect(401)), unknown);
        rig.admin(Method::POST, "/api/admin/users/ada@example.com/enable", &json!({})).await.expect(200);
        let path = "/api/admin/users/ada@example.com/factors";
        let before = passkey.get(&options(&page));
        assert_eq!(rig.admin(Method::DELETE, path, &json!({})).await.expect(200).json()["removed"], 1);
        assert_eq!(still(&send(&mut browser, &page, "/ui/signin/passkey", &before).await.expect(401)), unknown);
        rig.login(ADA).await.expect(200);
        assert_eq!(browser.cookie("signin"), None);
    }

    // MFA-04: one challenge is for one browser, one request, one purpose, and five minutes.
    async fn a_challenge_is_good_where_it_was_given_and_in_time(rig: Rig) {
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, shown) = page(&rig, &client).await;
        let (mut other, elsewhere) = page(&rig, &client).await;
        let refused = async |browser: &mut Browser<'_>, at: &Answer, path: &str, challenge: &Answer| {
            let answer = passkey.get(&options(challenge));
            let page = send(browser, at, path, &answer).await.expect(401);
            assert!(page.body.contains("The passkey was not accepted."), "{}", page.body);
        };
        refused(&mut other, &elsewhere, "/ui/signin/passkey", &shown).await;
        let to = browser.get(&client.url(&[])).await.expect(303);
        let tab = browser.follow(&to).await.expect(200);
        refused(&mut browser, &tab, "/ui/signin/passkey", &shown).await;
        // That of the second step is not that of the first.
        let mut third = Browser::new(&rig);
        let step = to_second(&mut third, &client.url(&[]), ADA).await;
        let first = third.get(&format!("/ui/signin?request={}&switch=1", hidden(&step, "request"))).await.expect(200);
        refused(&mut third, &first, "/ui/signin/passkey", &step).await;
        refused(&mut third, &step, "/ui/mfa/passkey", &first).await;

        rig.advance(Duration::from_mins(5) - Duration::from_micros(1));
        sign_in(&mut browser, &tab, &passkey).await.expect(303);
        rig.advance(Duration::from_micros(1));
        let answer = send(&mut other, &elsewhere, "/ui/signin/passkey", &passkey.get(&options(&elsewhere))).await.expect(400);
        assert!(answer.body.contains("That took too long."), "{}", answer.body);
        // With the new question of that page it works.
        sign_in(&mut other, &answer, &passkey).await.expect(303);
    }

    // MFA-04, I-8: of many at once with one answer, one opens a sign-in.
    async fn one_answer_opens_one_sign_in(rig: Rig) {
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (browser, page) = page(&rig, &client).await;
        let answer = passkey.get(&options(&page)).to_string();
        let (request, form) = (hidden(&page, "request"), hidden(&page, "form"));
        let cookie = browser.cookie("browser").unwrap().to_owned();
        let tries = (0..6).map(|_| {
            let fields = [("request", &*request), ("form", &*form), ("credential", &*answer)];
            rig.post("/ui/signin/passkey").form(&fields).same_origin().cookie("browser", &cookie).send()
        });
        let answers = futures_util::future::join_all(tries).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "{answers:?}");
        for refused in answers.into_iter().filter(|answer| answer.status != 303) {
            refused.refused_page("form-expired");
        }
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM signins WHERE amr = 'swk user mfa'").await, 1);
        // Nor later, until it is too old; then nothing is kept of it.
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM used_challenges").await, 2);
        rig.advance(Duration::from_mins(11));
        let now = rig.app.clock.now();
        rig.app.store.write(move |tx| Box::pin(passkeys::purge(tx, now, 100))).await.unwrap();
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM used_challenges").await, 0);
    }

    // MFA-04: a counter that goes back is refused, noted, and told to the owner.
    async fn a_copy_of_a_passkey_is_refused_and_told(rig: Rig) {
        let user = rig.user(ADA).await;
        let mut stick = add(&rig, &user.access, Soft::stick(ISSUER, &[9; 20])).await;
        let client = Client::web(&rig, "shop").await;
        letters(&rig).await;
        for (shown, right) in [(7, true), (7, false), (3, false), (8, true), (0, false), (9, true)] {
            let (mut browser, page) = page(&rig, &client).await;
            stick.says.count = shown;
            let answer = sign_in(&mut browser, &page, &stick).await;
            assert_eq!(answer.status.as_u16(), if right { 303 } else { 401 }, "{shown}: {}", answer.body);
        }
        let told = letters(&rig).await.into_iter().filter(|letter| letter.subject.contains("A passkey")).collect::<Vec<_>>();
        assert!(told.len() == 3 && told[0].text.contains("\"Passkey\""), "{told:?}");
        let copied = events(&rig, ADA).await.into_iter().filter(|event| event == "authn_passkey_copied").count();
        assert_eq!(copied, 3);
    }

    // ADM-02, MFA-04: nobody uses, adds or removes what is somebody else's.
    async fn a_passkey_is_its_owners(rig: Rig) {
        let passkey = ada(&rig).await;
        let bob = rig.user(BOB).await;
        let mut own = Soft::new(ISSUER, &[6; 20]);
        // The options are for one person and one sign-in.
        let again = rig.login(BOB).await.expect(200).text("access_token");
        let made = json!({ "credential": own.create(&asked(&rig, &bob.access).await) });
        finish(&rig, &again, &made).await.refused(401, "passkey-refused");
        let mut copy = Soft::new(ISSUER, &passkey.id);
        let made = json!({ "credential": copy.create(&asked(&rig, &bob.access).await) });
        finish(&rig, &bob.access, &made).await.refused(409, "passkey-known");
        let options = asked(&rig, &bob.access).await;
        let made = json!({ "credential": own.create(&options) });
        let added = finish(&rig, &bob.access, &made).await.expect(201).text("id");

        // As the second step of one account, another's is as good as none.
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let page = to_second(&mut browser, &client.url(&[]), ADA).await;
        own.says.handle = None;
        second(&mut browser, &page, &own).await.expect(401);
        assert_eq!(browser.cookie("signin"), None);
        let (mut other, first) = self::page(&rig, &client).await;
        sign_in(&mut other, &first, &passkey).await.expect(303);
        let signin = other.cookie("signin").unwrap().to_owned();
        let path = format!("/api/account/factors/{added}");
        let theirs = rig.request(Method::DELETE, &path).cookie("signin", &signin).same_origin();
        theirs.send().await.refused(404, "not-found");
    }

    // MFA-05: a passkey that was removed opens nothing, and with the last factor the codes go.
    async fn a_removed_passkey_is_worth_nothing(rig: Rig) {
        let passkey = ada(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let (mut browser, shown) = page(&rig, &client).await;
        sign_in(&mut browser, &shown, &passkey).await.expect(303);
        let signin = browser.cookie("signin").unwrap().to_owned();
        let list = rig.get("/api/account/factors").cookie("signin", &signin).send().await.expect(200).json();
        assert!(list["may_change"] == true && list["items"][0]["last_used_at"].is_string(), "{list}");
        let path = format!("/api/account/factors/{}", list["items"][0]["id"].as_str().unwrap());
        rig.request(Method::DELETE, &path).cookie("signin", &signin).same_origin().send().await.expect(204);
        let told = one(&letters(&rig).await, "was removed");
        assert!(told.text.contains("a passkey"), "{told:?}");
        let (mut other, again) = page(&rig, &client).await;
        sign_in(&mut other, &again, &passkey).await.expect(401);
        let access = rig.login(ADA).await.expect(200).text("access_token");
        assert_eq!(listed(&rig, &access).await["recovery_codes_left"], 0);
        // Gone with the account, too.
        add(&rig, &access, passkey).await;
        rig.admin(Method::DELETE, "/api/admin/users/ada@example.com", &json!({})).await.expect(204);
        assert_eq!(count(&rig, "SELECT COUNT(*) FROM passkeys").await, 0);
    }

    // MFA-05: the page sends whoever signed in too long ago, or with too little, to do so, and back.
    async fn the_page_adds_a_passkey(rig: Rig) {
        rig.register(ADA).await;
        let mut browser = Browser::new(&rig);
        let to = browser.get("/account/passkey").await.expect(303);
        assert_eq!(location(&to), "/ui/signin?request=passkey");
        let page = browser.follow(&to).await.expect(200);
        let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
        assert_eq!(location(&to), "/account/passkey");
        let page = browser.follow(&to).await.expect(200);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && policy.contains("require-trusted-types-for 'script'"), "{policy}");
        let mut passkey = Soft::new(ISSUER, &[9; 20]);
        let form = hidden(&page, "form");
        let made = passkey.create(&options(&page)).to_string();
        let send = async |browser: &mut Browser<'_>, form: &str, name: &str, credential: &str| {
            browser.post("/account/passkey", &[("form", form), ("name", name), ("credential", credential)]).await
        };
        send(&mut browser, "x", "Mine", &made).await.refused_page("form-expired");
        let again = send(&mut browser, &form, "Mi\u{202e}ne", &made).await.expect(422);
        assert!(again.body.contains("role=\"alert\""), "{}", again.body);
        send(&mut browser, &form, "Mine", "{}").await.expect(422);
        let added = send(&mut browser, &form, "Mine", &made).await.expect(200);
        assert!(added.body.contains("Your passkey was added") && added.body.matches("<li><code>").count() == 10);
        assert!(browser.get("/account").await.expect(200).body.contains("Add a passkey"));
        // This sign-in began without it.
        let to = browser.get("/account/passkey").await.expect(303);
        assert_eq!(location(&to), "/ui/mfa?request=passkey");
        let step = browser.follow(&to).await.expect(200);
        let to = second(&mut browser, &step, &passkey).await.expect(303);
        assert_eq!(location(&to), "/account/passkey");
        let page = browser.follow(&to).await.expect(200);
        assert_eq!(options(&page)["excludeCredentials"].as_array().unwrap().len(), 1);
        // A second one brings no codes; the same one is refused.
        let again = passkey.create(&options(&page)).to_string();
        let page = send(&mut browser, &form, "Mine", &again).await.expect(422);
        assert!(page.body.contains("is known already"), "{}", page.body);
        let mut stick = Soft::stick(ISSUER, &[8; 20]);
        let made = stick.create(&options(&page)).to_string();
        let added = send(&mut browser, &form, "Stick", &made).await.expect(303);
        assert!(browser.follow(&added).await.expect(200).body.contains("The passkey was added."));
        let security = browser.get("/account/security").await.expect(200);
        assert!(security.body.contains("passkey, since") && security.body.contains("Stick"), "{}", security.body);
        let (mut stale, way) = (browser, Duration::from_mins(10) + Duration::from_secs(1));
        rig.advance(way);
        let to = stale.get("/account/passkey").await.expect(303);
        let page = stale.follow(&to).await.expect(200);
        let to = sign_in(&mut stale, &page, &passkey).await.expect(303);
        assert_eq!(location(&to), "/account/passkey");
        stale.follow(&to).await.expect(200);
    }
}

// MFA-04: a handful and no more; an app and passkeys live beside each other.
#[tokio::test]
async fn an_account_has_ten_passkeys_at_most() {
    let rig = Rig::sqlite().await;
    let user = rig.user(ADA).await;
    let app = Authenticator::add(&rig, &user.access).await;
    let access = login(&rig, ADA, &app.code(&rig)).await.expect(200).text("access_token");
    for number in 0..10 {
        add(&rig, &access, Soft::new(ISSUER, &[number; 16])).await;
    }
    let mut more = Soft::new(ISSUER, &[99; 16]);
    let made = json!({ "credential": more.create(&asked(&rig, &access).await) });
    finish(&rig, &access, &made).await.refused(422, "invalid-value");
    assert_eq!(listed(&rig, &access).await["items"].as_array().unwrap().len(), 11);
    let client = Client::web(&rig, "shop").await;
    let mut browser = Browser::new(&rig);
    let page = to_second(&mut browser, &client.url(&[]), ADA).await;
    assert!(page.body.contains("six digits") && page.body.contains("or use a passkey"), "{}", page.body);
    assert_eq!(rig.login(ADA).await.refused(401, "mfa-required").json()["methods"], json!(["totp", "recovery_code"]));
    // MFA-05: not by a sign-in of before, nor of long ago.
    rig.post("/api/account/factors/passkeys/options").bearer(&user.access).send().await.refused(401, "step-up-needed");
    rig.advance(Duration::from_mins(10) + Duration::from_secs(1));
    finish(&rig, &access, &made).await.refused(401, "sign-in-stale");
}

// MFA-04: what an authenticator says of a new passkey is checked as what it says later.
#[tokio::test]
async fn a_new_passkey_must_be_what_was_asked_for() {
    let rig = Rig::sqlite().await;
    let user = rig.user(ADA).await;
    let lies: [fn(&mut Soft); 6] = [
        |soft| soft.says.origin = "https://evil.example".into(),
        |soft| soft.says.site = "evil.example".into(),
        |soft| soft.says.more = json!({ "crossOrigin": true }),
        |soft| soft.says.flags &= !soft::VERIFIED,
        |soft| soft.says.flags &= !soft::PRESENT,
        |soft| soft.says.kind = Some("webauthn.get"),
    ];
    for lie in lies {
        let mut liar = Soft::new(ISSUER, &[9; 20]);
        lie(&mut liar);
        let made = json!({ "credential": liar.create(&asked(&rig, &user.access).await) });
        finish(&rig, &user.access, &made).await.refused(401, "passkey-refused");
    }
    let mut late = Soft::new(ISSUER, &[9; 20]);
    let made = json!({ "credential": late.create(&asked(&rig, &user.access).await) });
    rig.advance(Duration::from_mins(5));
    finish(&rig, &user.access, &made).await.refused(400, "passkey-late");
    assert_eq!(listed(&rig, &user.access).await["items"], json!([]));
    rig.login(ADA).await.expect(200);
}

// MFA-05, ASVS 7.4.3
#[tokio::test]
async fn other_sessions_end_with_a_new_passkey_if_that_is_asked_for() {
    let rig = Rig::sqlite().await;
    let thief = rig.user(ADA).await;
    let own = rig.login(ADA).await.expect(200).text("access_token");
    let mut passkey = Soft::new(ISSUER, &[9; 20]);
    let made = passkey.create(&asked(&rig, &own).await);
    finish(&rig, &own, &json!({ "credential": made, "end_other_sessions": true })).await.expect(201);
    rig.session(&thief.access).await.refused(401, "token-invalid");
    rig.session(&own).await.expect(200);
}

// Browsers make no passkeys for addresses.
#[tokio::test]
async fn an_issuer_without_a_name_has_no_passkeys() {
    let rig = Rig::with(&[("issuer", "http://127.0.0.1:8080")]).await;
    let user = rig.user(ADA).await;
    let ask = rig.post("/api/account/factors/passkeys/options").bearer(&user.access);
    ask.send().await.refused(404, "passkeys-unavailable");
    let page = rig.get("/ui/signin?request=account").cookie("browser", &"A".repeat(43)).send().await.expect(200);
    assert!(!page.body.contains("passkey") && !page.body.contains("webauthn"), "{}", page.body);
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("script-src 'none'"));
}

// CSR-05, CSR-06: forms of passkeys are forms as any other.
#[tokio::test]
async fn no_foreign_page_shows_a_passkey() {
    let rig = Rig::sqlite().await;
    let passkey = ada(&rig).await;
    let client = Client::web(&rig, "shop").await;
    let (mut browser, page) = page(&rig, &client).await;
    let (request, form) = (hidden(&page, "request"), hidden(&page, "form"));
    let credential = passkey.get(&options(&page)).to_string();
    let fields = [("request", &*request), ("form", &*form), ("credential", &*credential)];
    let cross = rig.post("/ui/signin/passkey").form(&fields).header("origin", "https://evil.example");
    assert!(browser.send(cross).await.expect(403).body.contains("cross-site"));
    let fields = [("request", &*request), ("form", &form[1..]), ("credential", &*credential)];
    browser.post("/ui/signin/passkey", &fields).await.refused_page("form-expired");
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(page.body.matches("<script").count(), 1);
    let script = rig.get("/ui/passkey.js").send().await.expect(200);
    assert!(script.headers["content-type"].to_str().unwrap().starts_with("text/javascript"));
    assert!(script.body.len() < 30 * 1024 && page.body.len() < 30 * 1024);
}
