//! The language and the look of pages and mails: who decides, and who remembers.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, hidden, location},
    mailbox::{letters, one},
    rig::{Answer, Ask, PASSWORD, Rig},
};

const ADA: &str = "ada@example.com";
const FORGOT: &str = "/ui/password/forgot";

/// What the page itself, and the answer around it, say of its language.
#[track_caller]
fn language(page: &Answer) -> String {
    let said = page.body.split("<html lang=\"").nth(1).unwrap_or_else(|| panic!("no page: {}", page.body));
    let said = said.split('"').next().unwrap().to_owned();
    assert_eq!(page.headers["content-language"].to_str().unwrap(), said);
    assert_eq!(page.headers["vary"], "Accept-Language, Cookie");
    said
}

fn fields<'a>(page: &Answer, pairs: &[(&'a str, &'a str)]) -> Vec<(&'a str, String)> {
    let own = ["request", "form", "token"].into_iter().filter(|name| page.body.contains(&format!("name=\"{name}\"")));
    let own = own.map(|name| (name, hidden(page, name)));
    own.chain(pairs.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

/// Fills in a page's form.
async fn send(browser: &mut Browser<'_>, path: &str, page: &Answer, pairs: &[(&str, &str)]) -> Answer {
    let fields = fields(page, pairs);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(path, &fields).await
}

/// Chooses a language in a page's footer.
async fn choose(browser: &mut Browser<'_>, page: &Answer, tag: &str) -> Answer {
    let back = hidden(page, "back").replace("&#38;", "&");
    let to = browser.post("/ui/language", &[("language", tag), ("back", &back)]).await.expect(303);
    assert_eq!(location(&to), back);
    browser.follow(&to).await.expect(200)
}

/// To the page of one's account, by way of the sign-in page.
async fn account(browser: &mut Browser<'_>) -> Answer {
    let to = browser.get("/account").await.expect(303);
    let page = browser.follow(&to).await.expect(200);
    let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
    browser.follow(&to).await.expect(200)
}

async fn settings(rig: &Rig, access: &str) -> Value {
    rig.get("/api/account/settings").bearer(access).send().await.expect(200).json()
}

both! {
    async fn a_page_is_in_the_language_that_the_browser_likes_best(rig: Rig) {
        for (accepted, expected) in [
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("fr, es-MX;q=0.9, en;q=0.1", "es"),
            ("zh-CN,zh;q=0.9", "zh-Hans"),
            ("en-GB", "en"),
            ("fr", "en"),
            ("\u{fc}", "en"),
        ] {
            let ask = |ask: Ask| ask.header("accept-language", accepted).send();
            assert_eq!(language(&ask(rig.get(FORGOT)).await.expect(200)), expected, "{accepted}");
            // What was chosen counts for more; what cannot have been chosen, for nothing.
            let chosen = ask(rig.get(FORGOT).cookie("preferences", "es.dark")).await.expect(200);
            assert_eq!(language(&chosen), "es");
            assert!(chosen.body.contains("data-theme=\"dark\""), "{}", chosen.body);
            for nonsense in ["xx.night", "es; preferences=de", "\""] {
                let page = ask(rig.get(FORGOT).header("cookie", &format!("preferences={nonsense}"))).await.expect(200);
                assert_eq!(language(&page), expected, "{nonsense}");
                assert!(!page.body.contains("data-theme"), "{}", page.body);
            }
        }
        assert_eq!(language(&rig.get(FORGOT).send().await.expect(200)), "en");
    }

    // OpenID Connect Core §3.1.2.1, `ui_locales`; CSR-05, CSR-06: whoever chooses in the footer goes on with the same sign-in.
    async fn an_application_asks_for_a_language_and_its_person_for_another(rig: Rig) {
        rig.register(ADA).await;
        let shop = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig).in_language("de");
        let to = browser.get(&shop.url(&[("ui_locales", "fr-CA es en")])).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        assert_eq!(language(&page), "es");
        // The other pages on the way, too.
        assert_eq!(language(&browser.get("/ui/register").await.expect(200)), "es");
        let page = choose(&mut browser, &page, "zh-Hans").await;
        assert_eq!(language(&page), "zh-Hans");
        // Whatever is typed wrong, the page stays what it was; its footer leads back to it.
        let again = browser.sign_in(&page, ADA, "wrong horse battery staple").await.expect(401);
        assert_eq!(language(&again), "zh-Hans");
        assert!(again.body.contains("邮箱或密码错误。"), "{}", again.body);
        let page = choose(&mut browser, &again, "es").await;
        let to = browser.sign_in(&page, ADA, PASSWORD).await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        assert_eq!(language(&page), "es");
        assert!(page.body.contains("ver su dirección de correo electrónico"), "{}", page.body);
        let done = browser.decide(&page, "allow").await.expect(303);
        assert!(location(&done).starts_with("https://shop.example/cb?code="));
    }

    // The next application asks for none, or for one that nobody here speaks.
    async fn what_an_application_asked_for_is_forgotten_with_the_next(rig: Rig) {
        let shop = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig).in_language("de");
        for (locales, expected) in [("es", "es"), ("", "de"), ("en", "en"), ("fr it", "de")] {
            let to = browser.get(&shop.url(&[("ui_locales", locales), ("prompt", "login")])).await.expect(303);
            assert_eq!(language(&browser.follow(&to).await.expect(200)), expected, "{locales}");
        }
    }

    // CSR-05: nobody else chooses, and nobody is sent elsewhere.
    async fn the_footer_is_for_the_issuers_own_pages(rig: Rig) {
        let form: [(&str, &str); 2] = [("language", "de"), ("back", "/ui/device")];
        let stranger = rig.post("/ui/language").form(&form).header("origin", "https://evil.example").send().await;
        assert!(stranger.expect(403).body.contains("cross-site"));
        rig.get("/ui/language").send().await.expect(405);
        for back in ["https://evil.example/", "//evil.example/", "/\\evil.example/", ""] {
            let to = rig.post("/ui/language").form(&[("language", "de"), ("back", back)]).same_origin().send().await;
            assert_eq!(location(&to.expect(303)), "/account", "{back}");
        }
        for unknown in ["fr", "de-AT", ""] {
            let form = [("language", unknown), ("back", "/")];
            rig.post("/ui/language").form(&form).same_origin().send().await.refused_page("malformed-form");
        }
        // A page that was answered to a form has no address to come back to.
        let mut browser = Browser::new(&rig).in_language("de");
        let page = browser.get(FORGOT).await.expect(200);
        let done = send(&mut browser, FORGOT, &page, &[("email", ADA)]).await.expect(200);
        assert!(done.body.contains("Sehen Sie in Ihre E-Mails") && !done.body.contains("/ui/language"), "{}", done.body);
        let policy = |headers: &HeaderMap| headers["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy(&done.headers).contains("form-action 'none'"));
        assert!(policy(&page.headers).contains("form-action 'self'"));
    }

    // What an ordinary person can cause is told in their language.
    async fn mistakes_are_told_in_the_language_of_the_page(rig: Rig) {
        let mut browser = Browser::new(&rig).in_language("de");
        let page = browser.get("/ui/register").await.expect(200);
        for (email, password, words) in [
            ("nonsense", PASSWORD, "Das ist keine gültige E-Mail-Adresse."),
            (ADA, "short", "Das Passwort braucht mindestens 15 Zeichen; es hat 5."),
            (ADA, "aaaaaaaaaaaaaaaaaaaa", "Das Passwort wiederholt dieselben wenigen Zeichen"),
            (ADA, "ada@example.com!", "Das Passwort besteht aus Ihrer E-Mail-Adresse"),
        ] {
            let again = send(&mut browser, "/ui/register", &page, &[("email", email), ("password", password)]).await;
            assert!(again.expect(422).body.contains(words), "{words}");
        }
        let mut stranger = Browser::new(&rig).in_language("es");
        let expired = stranger.post("/ui/register", &[("form", "x"), ("email", ADA)]).await.expect(400);
        assert_eq!(language(&expired), "es");
        assert!(expired.body.contains("Esta página ya no se puede usar") && expired.body.contains("form-expired"));
        let link = stranger.get("/ui/email/verify?token=nonsense").await.expect(400);
        assert!(link.body.contains("Este enlace no se puede usar"), "{}", link.body);
        // Developers read English, and are told that it is.
        let nowhere = stranger.get("/authorize?client_id=nobody").await.expect(400);
        assert!(nowhere.body.contains("<p class=\"problem\" role=\"alert\" lang=\"en\">"), "{}", nowhere.body);
        let twice = stranger.post("/ui/language", &[("language", "fr")]).await.expect(400);
        assert!(twice.body.contains("No ha sido posible") && twice.body.contains("<p lang=\"en\">"), "{}", twice.body);
    }

    async fn too_many_attempts_are_told_with_how_long_to_wait(rig: Rig) {
        rig.register(ADA).await;
        let mut browser = Browser::new(&rig).in_language("zh-CN");
        let to = browser.get("/account").await.expect(303);
        let page = browser.follow(&to).await.expect(200);
        for _ in 0..6 {
            browser.sign_in(&page, ADA, "wrong horse battery staple").await;
        }
        let last = browser.sign_in(&page, ADA, "wrong horse battery staple").await.expect(429);
        assert!(last.body.contains("尝试次数过多。请在"), "{}", last.body);
    }

    // The account remembers, for every browser and for mails; JSON says the same.
    async fn a_choice_goes_with_its_person(rig: Rig) {
        let ada = rig.user(ADA).await;
        assert_eq!(settings(&rig, &ada.access).await, json!({ "language": null, "theme": null }));
        let mut browser = Browser::new(&rig).in_language("de");
        let page = account(&mut browser).await;
        assert_eq!(language(&page), "de");
        assert!(page.body.contains("Sprache und Aussehen") && !page.body.contains("/ui/language"), "{}", page.body);
        let form = [("act", "settings"), ("language", "es"), ("theme", "dark")];
        let done = send(&mut browser, "/account", &page, &form).await.expect(303);
        let page = browser.follow(&done).await.expect(200);
        assert_eq!(language(&page), "es");
        assert!(page.body.contains("El idioma y el aspecto se han guardado.") && page.body.contains("data-theme=\"dark\""));
        assert!(page.body.contains("<option value=\"es\" lang=\"es\" selected>"), "{}", page.body);
        assert_eq!(settings(&rig, &ada.access).await, json!({ "language": "es", "theme": "dark" }));

        let mut other = Browser::new(&rig).in_language("de");
        let page = account(&mut other).await;
        assert_eq!(language(&page), "es");
        // From there on every page is, whoever asks for it.
        assert_eq!(language(&other.get(FORGOT).await.expect(200)), "es");
        let all = rig.get("/api/account/export").bearer(&ada.access).send().await.expect(200).json();
        assert_eq!((&all["account"]["language"], &all["account"]["theme"]), (&json!("es"), &json!("dark")));
        let events = rig.get("/api/account/activity").bearer(&ada.access).send().await.expect(200).json();
        let chosen = events["items"].as_array().unwrap().iter().find(|event| event["event"] == "user_updated").unwrap();
        assert_eq!(chosen["detail"], json!({ "language": "es", "theme": "dark" }));
    }

    async fn programs_choose_for_their_person(rig: Rig) {
        let ada = rig.user(ADA).await;
        let put = |body: Value| rig.request(Method::PUT, "/api/account/settings").json(&body).bearer(&ada.access);
        put(json!({ "language": "zh-Hans", "theme": "light" })).send().await.expect(204);
        assert_eq!(settings(&rig, &ada.access).await, json!({ "language": "zh-Hans", "theme": "light" }));
        for bad in [json!({ "language": "fr" }), json!({ "language": "de-AT" }), json!({ "theme": "system" })] {
            put(bad).send().await.refused(422, "invalid-value");
        }
        put(json!({ "colour": "red" })).send().await.refused(400, "malformed-json");
        put(json!({})).send().await.expect(204);
        assert_eq!(settings(&rig, &ada.access).await, json!({ "language": null, "theme": null }));
    }

    // MAIL: the account's language, or else that of the request that the mail answers.
    async fn mails_are_in_the_language_of_whoever_reads_them(rig: Rig) {
        let mut browser = Browser::new(&rig).in_language("de-DE,de");
        let page = browser.get("/ui/register").await.expect(200);
        send(&mut browser, "/ui/register", &page, &[("email", ADA), ("password", PASSWORD)]).await.expect(200);
        let letter = one(&letters(&rig).await, "Bestätigen Sie Ihre E-Mail-Adresse");
        assert!(letter.language == "de" && letter.text.contains("Der Link gilt einmal"), "{letter:?}");
        browser.get(&letter.link()).await.expect(200);

        let access = rig.login(ADA).await.text("access_token");
        let choose = rig.request(Method::PUT, "/api/account/settings").json(&json!({ "language": "es" }));
        choose.bearer(&access).send().await.expect(204);
        // A German browser asks, a Spanish person reads.
        let page = browser.get(FORGOT).await.expect(200);
        send(&mut browser, FORGOT, &page, &[("email", ADA)]).await.expect(200);
        let letter = one(&letters(&rig).await, "Establezca una contraseña nueva");
        assert_eq!(letter.language, "es");
        let page = browser.get(&letter.link()).await.expect(200);
        assert_eq!(language(&page), "de");
        send(&mut browser, "/ui/password/reset", &page, &[("password", "seven green parrots sang")]).await.expect(200);
        assert_eq!(one(&letters(&rig).await, "se ha restablecido").language, "es");
    }
}

#[tokio::test]
async fn whoever_asks_for_nothing_gets_the_language_of_the_configuration() {
    let rig = Rig::with(&[("language", "zh-Hans")]).await;
    assert_eq!(language(&rig.get(FORGOT).send().await.expect(200)), "zh-Hans");
    assert_eq!(language(&rig.get(FORGOT).header("accept-language", "fr").send().await.expect(200)), "zh-Hans");
    assert_eq!(language(&rig.get(FORGOT).header("accept-language", "en").send().await.expect(200)), "en");
    rig.register(ADA).await;
    assert_eq!(one(&letters(&rig).await, "请确认您在").language, "zh-Hans");
    let metadata = rig.get("/.well-known/openid-configuration").send().await.expect(200).json();
    assert_eq!(metadata["ui_locales_supported"], json!(["en", "de", "es", "zh-Hans"]));
}
