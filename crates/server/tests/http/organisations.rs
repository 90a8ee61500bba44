//! Organisations: whose members act for them, in which sessions, and how fast that is over.

use countersign_jose::b64;
use http::Method;
use serde_json::{Value, json};

use crate::{
    both,
    browser::{Browser, Client, query},
    rig::{Answer, PASSWORD, Rig, Tokens},
};

const ADA: &str = "ada@example.com";

/// What a token carries, as anybody reads it.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&b64::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn admin(rig: &Rig, method: Method, path: &str, body: Value) -> Answer {
    rig.admin(method, &format!("/api/admin/organisations{path}"), &body).await
}

async fn set_member(rig: &Rig, organisation: &str, user: &str, roles: Value) {
    let path = format!("/{organisation}/members/{user}");
    admin(rig, Method::PUT, &path, json!({ "roles": roles })).await.expect(204);
}

/// Two organisations, of both of which Ada is a member.
async fn stage(rig: &Rig) {
    rig.register(ADA).await;
    rig.register("bob@example.com").await;
    for id in ["acme", "globex"] {
        admin(rig, Method::POST, "", json!({ "organisation": id, "name": id.to_uppercase() })).await.expect(201);
    }
    rig.admin(Method::PUT, "/api/admin/users/ada@example.com/roles", &json!({ "roles": ["buyer"] })).await.expect(200);
    set_member(rig, "acme", ADA, json!(["owner", "manager@api", "manager@elsewhere"])).await;
    set_member(rig, "globex", ADA, json!(["guest"])).await;
}

async fn login(rig: &Rig, organisation: Option<&str>) -> Answer {
    let body = json!({ "email": ADA, "password": PASSWORD, "organization": organisation });
    rig.post("/login").json(&body).send().await
}

/// A refresh later than the grace of the one before.
async fn refresh(rig: &Rig, tokens: &Tokens, organisation: Option<&str>) -> Answer {
    rig.advance(std::time::Duration::from_secs(60));
    let mut form =
        vec![("grant_type", "refresh_token"), ("client_id", "first-party"), ("refresh_token", tokens.refresh.as_str())];
    form.extend(organisation.map(|id| ("organization", id)));
    rig.post("/token").form(&form).send().await
}

both! {
    // ADM-01: what somebody may do by an organisation is in the tokens of sessions that speak for it, and in no other.
    async fn a_session_speaks_for_one_organisation_or_none(rig: Rig) {
        stage(&rig).await;
        let alone = Tokens::of(&login(&rig, None).await.expect(200));
        let said = claims(&alone.access);
        assert_eq!((said.get("org"), &said["roles"]), (None, &json!(["buyer"])));
        let acme = Tokens::of(&login(&rig, Some("acme")).await.expect(200));
        let said = claims(&acme.access);
        assert_eq!((&said["org"], &said["roles"]), (&json!({ "id": "acme" }), &json!(["buyer", "manager", "owner"])));

        // The session remembers it; a refresh changes it, and back to none.
        let acme = Tokens::of(&refresh(&rig, &acme, None).await.expect(200));
        assert_eq!(claims(&acme.access)["org"]["id"], "acme");
        let globex = Tokens::of(&refresh(&rig, &acme, Some("globex")).await.expect(200));
        let said = claims(&globex.access);
        assert_eq!((&said["org"]["id"], &said["roles"]), (&json!("globex"), &json!(["buyer", "guest"])));
        let globex = Tokens::of(&refresh(&rig, &globex, None).await.expect(200));
        assert_eq!(claims(&globex.access)["org"]["id"], "globex");
        let none = Tokens::of(&refresh(&rig, &globex, Some("none")).await.expect(200));
        assert_eq!(claims(&none.access).get("org"), None);
        rig.session(&none.access).await.expect(200);
    }

    // ADM-02: another one's organisation is as unknown as one that does not exist, and asking for it changes nothing.
    async fn nobody_speaks_for_an_organisation_of_others(rig: Rig) {
        stage(&rig).await;
        let bob = Tokens::of(&rig.login("bob@example.com").await.expect(200));
        for id in ["acme", "nothing", "Acme", "a b"] {
            let body = json!({ "email": "bob@example.com", "password": PASSWORD, "organization": id });
            rig.post("/login").json(&body).send().await.refused(400, "not-a-member");
            refresh(&rig, &bob, Some(id)).await.refused(400, "not-a-member");
        }
        let body = json!({ "email": "bob@example.com", "password": "wrong horse battery staple", "organization": "acme" });
        rig.post("/login").json(&body).send().await.refused(401, "invalid-credentials");
        let bob = Tokens::of(&refresh(&rig, &bob, None).await.expect(200));
        assert_eq!(claims(&bob.access).get("org"), None);
    }

    // RLO-09: whoever is taken out has no token that speaks for it within a second, and the session goes on without it.
    async fn whoever_is_taken_out_speaks_for_it_no_longer(rig: Rig) {
        stage(&rig).await;
        let tokens = Tokens::of(&login(&rig, Some("acme")).await.expect(200));
        rig.session(&tokens.access).await.expect(200);
        admin(&rig, Method::DELETE, "/acme/members/ada@example.com", json!({})).await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        refresh(&rig, &tokens, None).await.refused(400, "not-a-member");
        refresh(&rig, &tokens, Some("acme")).await.refused(400, "not-a-member");
        let alone = Tokens::of(&refresh(&rig, &tokens, Some("none")).await.expect(200));
        assert_eq!(claims(&alone.access)["roles"], json!(["buyer"]));
        // Back again without roles: nothing of what there was is left.
        set_member(&rig, "acme", ADA, json!([])).await;
        let acme = Tokens::of(&refresh(&rig, &alone, Some("acme")).await.expect(200));
        assert_eq!((&claims(&acme.access)["org"]["id"], &claims(&acme.access)["roles"]), (&json!("acme"), &json!(["buyer"])));
        rig.session(&acme.access).await.expect(200);
    }

    async fn changed_roles_and_a_removed_organisation_end_tokens(rig: Rig) {
        stage(&rig).await;
        let tokens = Tokens::of(&login(&rig, Some("acme")).await.expect(200));
        set_member(&rig, "acme", ADA, json!(["owner", "manager@api", "manager@elsewhere"])).await;
        rig.session(&tokens.access).await.expect(200);
        set_member(&rig, "acme", ADA, json!(["owner"])).await;
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        let tokens = Tokens::of(&refresh(&rig, &tokens, None).await.expect(200));
        assert_eq!(claims(&tokens.access)["roles"], json!(["buyer", "owner"]));
        admin(&rig, Method::DELETE, "/acme", json!({})).await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        refresh(&rig, &tokens, None).await.refused(400, "not-a-member");
        // Another one of the same id has none of its members.
        admin(&rig, Method::POST, "", json!({ "organisation": "acme" })).await.expect(201);
        refresh(&rig, &tokens, None).await.refused(400, "not-a-member");
        login(&rig, Some("globex")).await.expect(200);
    }

    // A browser's cookie is renewed for the organisation of its session, as long as its person belongs to it.
    async fn a_cookie_speaks_for_an_organisation(rig: Rig) {
        stage(&rig).await;
        let body = json!({ "email": ADA, "password": PASSWORD, "organization": "acme", "transport": "cookie" });
        let signed_in = rig.post("/login").json(&body).same_origin().send().await.expect(200);
        let cookie = signed_in.cookie("signin").unwrap();
        let renew = |more: &[(&'static str, &'static str)]| {
            let form = [&[("grant_type", "refresh_token")], more].concat();
            rig.post("/token").form(&form).same_origin().cookie("signin", &cookie).send()
        };
        let said = async |more: &[(&'static str, &'static str)]| claims(&renew(more).await.expect(200).cookie("access").unwrap());
        assert_eq!(said(&[]).await["org"]["id"], "acme");
        assert_eq!(said(&[("organization", "globex")]).await["org"]["id"], "globex");
        assert_eq!(said(&[("organization", "acme")]).await["org"]["id"], "acme");
        admin(&rig, Method::DELETE, "/acme/members/ada@example.com", json!({})).await.expect(204);
        renew(&[]).await.refused(400, "not-a-member");
        assert!(said(&[("organization", "none")]).await.get("org").is_none());
        renew(&[("organization", "acme")]).await.refused(400, "not-a-member");
        assert!(said(&[]).await.get("org").is_none());
    }

    // What a person sees and does themselves.
    async fn people_see_their_organisations_and_leave_them(rig: Rig) {
        stage(&rig).await;
        let tokens = Tokens::of(&login(&rig, Some("acme")).await.expect(200));
        let list = rig.get("/api/account/organisations").bearer(&tokens.access).send().await.expect(200).json();
        assert_eq!((&list["items"][0]["organisation"], &list["items"][0]["name"]), (&json!("acme"), &json!("ACME")));
        assert_eq!(list["items"][0]["roles"], json!(["owner", "manager@api", "manager@elsewhere"]));
        let leave = |id: &str, token: &str| {
            rig.request(Method::DELETE, &format!("/api/account/organisations/{id}")).bearer(token).send()
        };
        leave("acme", &tokens.access).await.expect(204);
        rig.session(&tokens.access).await.refused(401, "token-invalid");
        let tokens = Tokens::of(&refresh(&rig, &tokens, Some("none")).await.expect(200));
        leave("acme", &tokens.access).await.refused(404, "not-found");
        leave("initech", &tokens.access).await.refused(404, "not-found");
    }

    // ADM-01, ADM-07: an organisation's administrator is no administrator of the issuer.
    async fn no_organisation_opens_the_admin_api(rig: Rig) {
        stage(&rig).await;
        for role in ["admin", "admin@admin"] {
            let body = json!({ "roles": [role] });
            admin(&rig, Method::PUT, "/acme/members/ada@example.com", body).await.refused(422, "invalid-value");
        }
        set_member(&rig, "acme", ADA, json!(["admin@api"])).await;
        let body = json!({ "email": ADA, "password": PASSWORD, "organization": "acme", "resource": "admin" });
        rig.post("/login").json(&body).send().await.refused(400, "invalid-target");
        let api = claims(&Tokens::of(&login(&rig, Some("acme")).await.expect(200)).access);
        assert_eq!(api["roles"], json!(["admin", "buyer"]), "a service of one's own may call its roles as it likes");
    }

    async fn organisations_are_kept_by_administrators(rig: Rig) {
        stage(&rig).await;
        let page = admin(&rig, Method::GET, "?limit=1", json!({})).await.expect(200).json();
        assert_eq!((&page["items"][0]["organisation"], &page["items"][0]["members"], &page["next"]), (&json!("acme"), &json!(1), &json!("acme")));
        set_member(&rig, "acme", "bob@example.com", json!([])).await;
        let first = admin(&rig, Method::GET, "/acme/members?limit=1", json!({})).await.expect(200).json();
        let after = first["next"].as_str().unwrap();
        let rest = admin(&rig, Method::GET, &format!("/acme/members?after={after}"), json!({})).await.expect(200).json();
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
        let renamed = admin(&rig, Method::PUT, "/acme", json!({ "name": "Acme Inc." })).await.expect(200);
        assert_eq!(renamed.text("name"), "Acme Inc.");
        let ada = admin(&rig, Method::GET, "/acme/members/ada@example.com", json!({})).await.expect(200).json();
        assert_eq!(ada["roles"], json!(["owner", "manager@api", "manager@elsewhere"]));
        admin(&rig, Method::GET, "/globex/members/bob@example.com", json!({})).await.refused(404, "not-found");
        for bad in [json!({ "organisation": "none" }), json!({ "organisation": "Acme" }), json!({ "organisation": "x", "name": "a\nb" })] {
            admin(&rig, Method::POST, "", bad).await.refused(422, "invalid-value");
        }
        admin(&rig, Method::POST, "", json!({ "organisation": "acme" })).await.refused(409, "conflict");
        for path in ["/nothing", "/nothing/members"] {
            admin(&rig, Method::GET, path, json!({})).await.refused(404, "not-found");
        }
        admin(&rig, Method::DELETE, "/nothing", json!({})).await.refused(404, "not-found");
        admin(&rig, Method::DELETE, "/globex/members/bob@example.com", json!({})).await.refused(404, "not-found");
    }

    // ADM-02: an application may ask for tokens that speak for an organisation; who does not belong to it is sent back.
    async fn an_application_asks_for_an_organisation(rig: Rig) {
        stage(&rig).await;
        let client = Client::web(&rig, "shop").await;
        let mut browser = Browser::new(&rig);
        let tokens = browser.tokens(&client, &[("organization", "acme")], ADA).await;
        assert_eq!(claims(&tokens.text("access_token"))["org"]["id"], "acme");
        let alone = browser.tokens(&client, &[], ADA).await;
        assert_eq!(claims(&alone.text("access_token")).get("org"), None);
        for other in ["initech", "Acme"] {
            let answer = browser.authorize(&client, &[("organization", other)], ADA).await;
            assert_eq!(query(&answer)["error"], "access_denied");
        }
        let mut strangers = Browser::new(&rig);
        let answer = strangers.authorize(&client, &[("organization", "acme")], "bob@example.com").await;
        assert_eq!(query(&answer)["error"], "access_denied");

        // Between code and tokens, too.
        let answer = browser.authorize(&client, &[("organization", "acme")], ADA).await;
        admin(&rig, Method::DELETE, "/acme/members/ada@example.com", json!({})).await.expect(204);
        client.redeem(&rig, &query(&answer)["code"]).await.refused(400, "refresh-revoked");
    }
}
